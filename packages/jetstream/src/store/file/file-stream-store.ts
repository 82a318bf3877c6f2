import { compileFilter } from '@nats-ts/sublist';
import { MemoryConsumerStore } from '../memory/memory-consumer-store.ts';
import { emptyMessage } from '../shared/empty.ts';
import { checkAssetName } from '../shared/names.ts';
import type { AssetMeta, ConsumerStore, MessageStore, StreamStore, SubjectFilter } from '../store.ts';
import type { StreamDependencies } from './dependencies.ts';
import type { FileConsumerStore } from './file-consumer-store.ts';
import type { Gate } from './gate.ts';
import { replaceMeta } from './meta-file.ts';
import { encodeMeta } from './meta-json.ts';
import type { ClosableMessages } from './open-messages.ts';
import { Serial } from './serial.ts';
import { type OpenedConsumers, StreamConsumers } from './stream-consumers.ts';

interface RecoveredConsumer {
  readonly name: string;
  readonly meta: AssetMeta;
  readonly store: FileConsumerStore;
}

/** One stream on disk. */
export class FileStreamStore implements StreamStore {
  readonly name: string;
  readonly messages: ClosableMessages;
  readonly #deps: StreamDependencies;
  readonly #directory: string;
  readonly #consumers: StreamConsumers;
  readonly #recovered: readonly RecoveredConsumer[];
  readonly #changes = new Serial();
  readonly #onGone: (deleted: boolean) => Promise<void>;
  #meta: AssetMeta;
  #ended: 'closed' | 'deleted' | null = null;
  /** The files being let go of by a deletion. */
  #letting: Promise<void> | null = null;

  private constructor(
    deps: StreamDependencies,
    directory: string,
    meta: AssetMeta,
    name: string,
    messages: ClosableMessages,
    opened: OpenedConsumers,
    onGone: (deleted: boolean) => Promise<void>,
  ) {
    this.#deps = deps;
    this.#directory = directory;
    this.name = name;
    this.messages = messages;
    this.#meta = meta;
    this.#consumers = opened.consumers;
    this.#recovered = opened.recovered;
    this.#onGone = onGone;
  }

  /**
   * Opens the consumers beside messages that are open already.
   *
   * @param isNew the directory was just made: there is nothing to read.
   * @param onGone called once, when the files are closed: takes the directory away if the stream was deleted.
   */
  static async open(
    deps: StreamDependencies,
    directory: string,
    name: string,
    meta: AssetMeta,
    messages: ClosableMessages,
    gate: Gate,
    onGone: (deleted: boolean) => Promise<void>,
    isNew: boolean,
  ): Promise<FileStreamStore> {
    const opened = isNew
      ? StreamConsumers.begin(deps, directory, name, gate)
      : await StreamConsumers.open(deps, directory, name, gate, (config, fromSeq, toSeq, limit) =>
          takenBetween(messages, filterOf(config), fromSeq, toSeq, limit),
        );
    await messages.ensureUsed?.(opened.deliveredSeq);
    return new FileStreamStore(deps, directory, meta, name, messages, opened, onGone);
  }

  get meta(): AssetMeta {
    return this.#meta;
  }

  recoveredConsumers(): readonly RecoveredConsumer[] {
    return this.#recovered;
  }

  async createConsumer(name: string, meta: AssetMeta, memory: boolean): Promise<ConsumerStore> {
    checkAssetName('consumer', name);
    this.#checkOpen();
    return memory ? new MemoryConsumerStore(name) : this.#consumers.create(name, meta);
  }

  updateMeta(meta: AssetMeta): Promise<void> {
    return this.#changes.run(async () => {
      this.#checkOpen();
      const before = encodeMeta(this.#meta, null);
      await replaceMeta(
        this.#deps.fs,
        this.#directory,
        { stream: this.name, consumer: null },
        encodeMeta(meta, null),
        before,
      );
      this.#meta = meta;
    });
  }

  async delete(): Promise<void> {
    if (this.#ended === 'closed') throw new Error(`stream "${this.name}" is closed`);
    if (this.#ended === null) {
      this.#ended = 'deleted';
      this.#letting = this.#letGo();
    }
    await this.#letting;
    // Asked for again after a failure: only the directory is left to take away.
    await this.#changes.run(() => this.#onGone(true));
  }

  async close(): Promise<void> {
    if (this.#ended !== null) {
      // A deletion that is under way still needs the directory.
      await this.#letting;
      await this.#changes.run(() => Promise.resolve());
      return;
    }
    this.#ended = 'closed';
    await this.#changes.run(() => Promise.resolve());
    // Messages first: what their commits tell the consumers still goes into the log.
    const results = await Promise.allSettled([this.messages.close()]);
    results.push(...(await Promise.allSettled([this.#consumers.close()])));
    await this.#onGone(false);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Closes the files without writing anything more: the directory belongs to another process now. */
  async abandon(): Promise<void> {
    if (this.#ended !== null) return;
    this.#ended = 'closed';
    await this.#letGo();
    await this.#onGone(false);
  }

  async #letGo(): Promise<void> {
    await this.#consumers.abandon();
    await this.messages.abandon();
  }

  #checkOpen(): void {
    if (this.#ended !== null) throw new Error(`stream "${this.name}" is ${this.#ended}`);
  }
}

/** What a consumer's configuration filters by; null = everything. */
function filterOf(config: Record<string, unknown>): SubjectFilter | null {
  const { filter_subject: one, filter_subjects: several } = config;
  const subjects = [
    ...(typeof one === 'string' && one !== '' ? [one] : []),
    ...(Array.isArray(several) ? several : []),
  ];
  return subjects.length === 0 ? null : compileFilter(subjects.map(String));
}

/** Sequences of the messages in a range that pass, at most `limit` + 1 of them. */
async function takenBetween(
  messages: MessageStore,
  filter: SubjectFilter | null,
  fromSeq: number,
  toSeq: number,
  limit: number,
): Promise<number[]> {
  const found: number[] = [];
  const into = emptyMessage();
  for (let seq = fromSeq; seq <= toSeq && found.length <= limit; ) {
    const result = messages.loadNext(filter, seq, into);
    if (result === 'gone' || (result === 'found' && into.seq > toSeq)) break;
    if (result === 'cold') {
      await new Promise<void>((resolve, reject) =>
        messages.warm(into.seq, (error) => (error === null ? resolve() : reject(error))),
      );
      continue;
    }
    found.push(into.seq);
    seq = into.seq + 1;
  }
  return found;
}
