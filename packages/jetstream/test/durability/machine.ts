import { consumerModule } from '../../src/consumer/module.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { FakeHost } from '../fake-host.ts';
import { Harness } from '../jetstream-harness.ts';
import { ManualClock, turns } from '../manual-clock.ts';
import { type TestDependencies, testDependencies } from '../store/dependencies.ts';
import { SimulatedFileSystem } from '../store/simulated-fs.ts';

/** An engine with files on a disk that can break, and that can be killed and started again. */
export class Machine {
  readonly fs = new SimulatedFileSystem();
  readonly #cacheBytes: number;
  #nowMs = new ManualClock().now();
  #harness: Harness | null = null;
  /** What the store of the last start was given. */
  deps: TestDependencies = testDependencies();

  /** @param cacheBytes memory for message blocks; 1 = whatever is on disk is read back from it. */
  constructor(cacheBytes = 16 * 1024 * 1024) {
    this.#cacheBytes = cacheBytes;
  }

  get harness(): Harness {
    if (this.#harness === null) throw new Error('the machine is off');
    return this.#harness;
  }

  async start(): Promise<Harness> {
    const host = new FakeHost();
    host.clock.set(this.#nowMs);
    host.account().patienceMs = 5_000;
    this.deps = testDependencies({ clock: host.clock, blockCacheBytesMax: this.#cacheBytes }, this.fs);
    this.#harness = await Harness.open({}, await FileStorage.open('/store', this.deps), consumerModule, host);
    return this.#harness;
  }

  /** SIGKILL: what was written is there. @param meanwhile happens to the files before the next start. */
  async kill(meanwhile: () => void = () => {}): Promise<Harness> {
    return this.#crash(() => {
      this.fs.kill();
      meanwhile();
    });
  }

  /** What was not synced is gone. @param kept what reached the disk all the same. */
  async powerCut(kept: (path: string) => boolean = () => false): Promise<Harness> {
    return this.#crash(() => this.fs.powerCut(kept));
  }

  async stop(): Promise<void> {
    await this.harness.jetstream.shutdown();
    this.#nowMs = this.harness.host.clock.now();
    this.#harness = null;
  }

  async #crash(end: () => void): Promise<Harness> {
    // The engine of before stands still from here on: none of its operations goes through.
    this.fs.offAt = 0;
    await turns(8);
    this.#nowMs = this.harness.host.clock.now();
    end();
    await this.fs.removeTree('/store/.nats-ts.lock');
    return this.start();
  }
}

/** Lets the disk work until something holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what}: not within 5000 turns`);
}

/** Payload of a message, null if there is none. */
export async function payloadOf(harness: Harness, stream: string, seq: number): Promise<string | null> {
  const { message } = await harness.json(`STREAM.MSG.GET.${stream}`, { seq });
  return message === undefined ? null : Buffer.from(message.data ?? '', 'base64').toString();
}

/** Sequences of the messages a stream has. */
export async function sequences(harness: Harness, stream: string): Promise<number[]> {
  const { state } = await harness.json(`STREAM.INFO.${stream}`);
  const found: number[] = [];
  for (let seq = 1; seq <= state.last_seq; seq++) if ((await payloadOf(harness, stream, seq)) !== null) found.push(seq);
  return found;
}
