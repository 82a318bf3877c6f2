import { emptyConsumerState } from '../shared/empty.ts';
import type { AssetMeta, ConsumerState, ConsumerStore } from '../store.ts';

/** A consumer whose state ends with the process: nothing is written, everything counts as durable at once. */
export class MemoryConsumerStore implements ConsumerStore {
  readonly name: string;
  readonly recovered: ConsumerState = emptyConsumerState();
  readonly hasState = false;

  constructor(name: string) {
    this.name = name;
  }

  setExporter(_exportState: () => ConsumerState): void {}

  delivered(_consumerSeq: number, _streamSeq: number, _deliveries: number, _timeMs: number): void {}

  acked(_consumerSeq: number, _streamSeq: number, _floorConsumerSeq: number, _floorStreamSeq: number): void {}

  replaced(): void {}

  /** Calls back in the next microtask. */
  sync(callback: (error: Error | null) => void): void {
    queueMicrotask(() => callback(null));
  }

  updateMeta(_meta: AssetMeta): Promise<void> {
    return Promise.resolve();
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }
}
