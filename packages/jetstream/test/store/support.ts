import type {
  LoadResult,
  MessageStore,
  StoredMessage,
  StreamStoreOptions,
  SubjectFilter,
} from '../../src/store/store.ts';

/** Options of a plain limits stream. */
export function storeOptions(overrides: Partial<StreamStoreOptions> = {}): StreamStoreOptions {
  return { kind: 'file', firstSeq: 0, retention: 'limits', maxBytes: -1, maxMsgsPerSubject: -1, ...overrides };
}

/** A filter that matches token by token, without anything clever. */
export function filterOf(...subjects: string[]): SubjectFilter {
  const patterns = subjects.map((subject) => subject.split('.'));
  return {
    subjects,
    matches(subject: string): boolean {
      const tokens = subject.split('.');
      return patterns.some((pattern) => {
        const open = pattern.at(-1) === '>';
        if (open ? tokens.length < pattern.length : tokens.length !== pattern.length) return false;
        return pattern.every((token, at) => token === '*' || token === '>' || token === tokens[at]);
      });
    },
  };
}

/** A message to load into. */
export function newMessage(): StoredMessage {
  return {
    seq: 0,
    subject: '',
    timeMs: 0,
    timeNs: 0,
    buffer: Buffer.alloc(0),
    headerStart: 0,
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/** What a test wants to see of a loaded message. */
export interface Loaded {
  seq: number;
  subject: string;
  header: string;
  payload: string;
  timeMs: number;
  timeNs: number;
}

/** Bytes of a message as tests compare them. */
export function seen(message: StoredMessage): Loaded {
  return {
    seq: message.seq,
    subject: message.subject,
    header: message.buffer.toString('latin1', message.headerStart, message.payloadStart),
    payload: message.buffer.toString('latin1', message.payloadStart, message.payloadEnd),
    timeMs: message.timeMs,
    timeNs: message.timeNs,
  };
}

/** Reads as a caller must: when the answer is cold, warms the block and looks again. Null when gone. */
export async function read(
  store: MessageStore,
  look: (into: StoredMessage) => LoadResult,
  coldSeq?: number,
): Promise<Loaded | null> {
  const into = newMessage();
  for (let tries = 0; tries < 1000; tries++) {
    const result = look(into);
    if (result === 'found') return seen(into);
    if (result === 'gone') return null;
    await warm(store, coldSeq ?? into.seq);
  }
  throw new Error('the store is cold however often it is warmed');
}

export function load(store: MessageStore, seq: number): Promise<Loaded | null> {
  return read(store, (into) => store.load(seq, into), seq);
}

export function loadNext(store: MessageStore, filter: SubjectFilter | null, from: number): Promise<Loaded | null> {
  return read(store, (into) => store.loadNext(filter, from, into));
}

export function loadLast(store: MessageStore, filter: SubjectFilter, upTo: number): Promise<Loaded | null> {
  return read(store, (into) => store.loadLast(filter, upTo, into));
}

function warm(store: MessageStore, seq: number): Promise<void> {
  return new Promise((resolve, reject) => {
    store.warm(seq, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Appends with texts. The time is 1 000 000 ms + the sequence unless given. */
export function append(
  store: MessageStore,
  subject: string,
  payload = '',
  header = '',
  timeMs = 1_000_000 + store.lastSeq + 1,
  timeNs = 0,
): number {
  const headerBytes = Buffer.from(header, 'latin1');
  const payloadBytes = Buffer.from(payload, 'latin1');
  return store.append(
    subject,
    headerBytes,
    0,
    headerBytes.length,
    payloadBytes,
    0,
    payloadBytes.length,
    timeMs,
    timeNs,
  );
}

/** Resolves when everything applied so far is committed; rejects when the store fails. */
export async function committed(store: MessageStore, withinMs = 10_000): Promise<void> {
  const target = store.applied;
  const end = performance.now() + withinMs;
  while (store.committed < target) {
    if (store.failure !== null) throw store.failure;
    if (performance.now() > end) throw new Error(`not committed within ${withinMs} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Counts the calls of `onCommit` and keeps failures. */
export function watch(store: MessageStore): { commits: number; failures: Error[] } {
  const watched = { commits: 0, failures: [] as Error[] };
  store.setEvents({
    onCommit: () => {
      watched.commits++;
    },
    onFailure: (error) => {
      watched.failures.push(error);
    },
  });
  return watched;
}
