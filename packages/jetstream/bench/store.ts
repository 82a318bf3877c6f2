/**
 * How fast the file store appends, against the least a store on this disk could do: the same bytes written by the same
 * rhythm without format, hash, index or bookkeeping. Figures of two moments on a shared machine do not compare; the
 * ratio within one run does.
 *
 * `node --conditions=@nats-ts/source packages/jetstream/bench/store.ts [directory]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFileSystem } from '../src/store/file/file-system.ts';
import { BlockCache } from '../src/store/file/messages/block-cache.ts';
import { FileMessages } from '../src/store/file/messages/file-messages.ts';
import { emptyMessage } from '../src/store/shared/empty.ts';
import { emptyStats } from '../src/store/shared/stats.ts';

const PAYLOAD_BYTES = 256;
const SUBJECT = 'bench.orders.new';
const RECORD_BYTES: number = 30 + SUBJECT.length + PAYLOAD_BYTES;
const ROUNDS = 5;

interface Run {
  messagesPerSecond: number;
  /** CPU time of the process, microseconds per message. */
  cpuMicros: number;
}

/** Something that takes messages and says how many are durable. */
interface Target {
  append(): void;
  readonly committed: number;
  onCommit: () => void;
  close(): Promise<void>;
}

/** Keeps `window` messages under way until `total` are committed. */
async function drive(target: Target, total: number, window: number): Promise<Run> {
  let sent = 0;
  const first = target.committed;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const fill = (): void => {
      const done = target.committed - first;
      if (done >= total) {
        resolve();
        return;
      }
      for (; sent < total && sent - done < window; sent++) target.append();
    };
    target.onCommit = fill;
    fill();
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await target.close();
  return { messagesPerSecond: total / seconds, cpuMicros: (user + system) / total };
}

function openMessages(directory: string, syncIntervalMs: number): Promise<FileMessages> {
  return FileMessages.open(
    directory,
    'BENCH',
    { kind: 'file', firstSeq: 0, retention: 'limits', maxBytes: -1, maxMsgsPerSubject: -1 },
    {
      fs: new NodeFileSystem(),
      clock: {
        now: () => Date.now(),
        setTimer: (callback, delayMs) => {
          const timer = setTimeout(callback, delayMs).unref();
          return { cancel: () => clearTimeout(timer) };
        },
      },
      log: { error: console.error, warn: console.error, info: () => {}, debug: () => {} },
      random: { bytes: (length) => new Uint8Array(length) },
      stats: emptyStats(),
      syncIntervalMs,
      cache: new BlockCache(),
      watch: null,
    },
  );
}

async function openStore(directory: string, syncIntervalMs: number): Promise<Target> {
  const store = await openMessages(directory, syncIntervalMs);
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  const timeMs = Date.now();
  let timeNs = 0;
  const target: Target = {
    append: () => {
      timeNs = (timeNs + 1) % 1_000_000;
      store.append(SUBJECT, payload, 0, 0, payload, 0, PAYLOAD_BYTES, timeMs, timeNs);
    },
    get committed() {
      return store.committed;
    },
    onCommit: () => {},
    close: () => store.close(),
  };
  store.setEvents({
    onCommit: () => target.onCommit(),
    onFailure: (error) => {
      throw error;
    },
  });
  return target;
}

/** Writes as many bytes, one write at a time, and does nothing else. */
async function openPlain(directory: string, synced: boolean): Promise<Target> {
  const fs = new NodeFileSystem();
  const fd = await fs.open(join(directory, 'plain'), synced ? 'create-synced' : 'create');
  const bytes = Buffer.alloc(16 * 1024 * 1024, 'x');
  let appended = 0;
  let committed = 0;
  let busy = false;
  const write = (): void => {
    if (busy || committed === appended) return;
    busy = true;
    const upTo = appended;
    const length = (upTo - committed) * RECORD_BYTES;
    fs.write(fd, bytes, 0, length, committed * RECORD_BYTES, (error, written) => {
      if (error !== null || written < length) throw error ?? new Error('short write');
      busy = false;
      committed = upTo;
      write();
      target.onCommit();
    });
  };
  let scheduled = false;
  const target: Target = {
    append: () => {
      appended++;
      if (scheduled || busy) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        write();
      });
    },
    get committed() {
      return committed;
    },
    onCommit: () => {},
    close: () => fs.close(fd),
  };
  return target;
}

function median(values: number[]): number {
  return values.sort((left, right) => left - right)[values.length >> 1] ?? 0;
}

/** Reads every message in order, from memory or disk; messages per second. */
async function readAll(directory: string): Promise<number> {
  const target = await openStore(directory, 0);
  for (let at = 0; at < 200_000; at++) target.append();
  await drive(target, 1, 1);
  const store = await openMessages(directory, 0);
  const into = emptyMessage();
  const began = performance.now();
  let count = 0;
  for (let seq = 1; ; seq = into.seq + 1) {
    let result = store.loadNext(null, seq, into);
    while (result === 'cold') {
      const cold = into.seq;
      await new Promise((resolve) => store.warm(cold, resolve));
      result = store.loadNext(null, seq, into);
    }
    if (result === 'gone') break;
    count++;
  }
  const rate = count / ((performance.now() - began) / 1000);
  await store.close();
  return rate;
}

const root = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'nats-ts-store-bench-'));
try {
  console.log(`${PAYLOAD_BYTES} B messages, medians of ${ROUNDS} alternating rounds in ${root}`);
  for (const [name, syncIntervalMs] of [
    ['synced before it counts', 0],
    ['synced every minute', 60_000],
  ] as const) {
    for (const window of [1, 64, 1000, 10_000]) {
      const total = window === 1 ? 2_000 : window === 64 ? 50_000 : 300_000;
      const ours: Run[] = [];
      const plain: Run[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const directory = await mkdtemp(join(root, 'run-'));
        ours.push(await drive(await openStore(directory, syncIntervalMs), total, window));
        plain.push(await drive(await openPlain(directory, syncIntervalMs === 0), total, window));
        await rm(directory, { recursive: true });
      }
      const rate = median(ours.map(({ messagesPerSecond }) => messagesPerSecond));
      const least = median(plain.map(({ messagesPerSecond }) => messagesPerSecond));
      const cpu = median(ours.map(({ cpuMicros }) => cpuMicros));
      const thousands = (value: number): string => `${Math.round(value / 1000)} k/s`.padStart(9);
      console.log(
        `${name}, window ${String(window).padStart(5)}: ${thousands(rate)}, plain writes ${thousands(least)}, ` +
          `ratio ${(rate / least).toFixed(2)}, ${cpu.toFixed(2)} µs CPU/message`,
      );
    }
  }
  console.log(`reading all in order, cold: ${Math.round((await readAll(root)) / 1000)} k/s`);
} finally {
  await rm(root, { recursive: true, force: true });
}
