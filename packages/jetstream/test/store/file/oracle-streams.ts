import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../../tests/src/deadline.ts';
import type { OracleVersion } from '../../../../../tests/src/oracle.ts';
import { ServerProcess } from '../../../../../tests/src/server-process.ts';
import { WireClient } from '../../../../../tests/src/wire-client.ts';
import type { MessageStore } from '../../../src/store/store.ts';
import { load } from '../support.ts';

/** What two servers must agree on. Times are RFC 3339 as nats-server writes them. */
export interface StreamPicture {
  messages: number;
  bytes: number;
  firstSeq: number;
  firstTime: string | null;
  lastSeq: number;
  lastTime: string | null;
  deleted: number[];
  subjects: Record<string, number>;
  /** Sequence, subject, time, header block and payload (long ones by their hash). */
  content: string[];
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** A genuine nats-server on a store directory of its own. */
export class Oracle implements AsyncDisposable {
  readonly directory: string;
  readonly version: OracleVersion;
  #process: ServerProcess | null = null;
  #client: WireClient | null = null;
  /** Last sequence before the first of the messages published. */
  #before = 0;
  #published = 0;

  constructor(version: OracleVersion) {
    this.version = version;
    this.directory = mkdtempSync(join(tmpdir(), 'nats-ts-oracle-'));
  }

  /** `<store>/jetstream/$G/streams/<stream>` */
  streamDirectory(stream: string): string {
    return join(this.directory, 'jetstream/$G/streams', stream);
  }

  get output(): string {
    return this.#process?.output ?? '';
  }

  async start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', this.directory];
    this.#process = await ServerProcess.oracle({ args }, this.version);
    this.#client = await WireClient.connect(this.#process.port);
  }

  /** Ends it cleanly, or by SIGKILL. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    this.#client = null;
    await this.#process?.stop(signal);
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** An API request; throws what it answers with an error. */
  async api(subject: string, request: object | null = null): Promise<Record<string, unknown>> {
    const payload = request === null ? '' : JSON.stringify(request);
    const answer = await this.#client!.request(`$JS.API.${subject}`, payload, null, 5_000);
    if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
    const reply = JSON.parse(answer.message.payload) as Record<string, unknown>;
    if (reply['error'] !== undefined) throw new Error(`${subject}: ${JSON.stringify(reply['error'])}`);
    return reply;
  }

  async create(config: Record<string, unknown>): Promise<void> {
    const name = String(config['name']);
    await this.api(`STREAM.CREATE.${name}`, { storage: 'file', num_replicas: 1, ...config });
    this.#before = await this.#lastSeq(name);
    this.#published = 0;
  }

  /** Publishes; `stored` waits for what was published. */
  publish(subject: string, payload: string, header: string | null = null): void {
    this.#client!.publish(subject, payload, null, header);
    this.#published++;
  }

  /** Waits until everything published has its sequence. */
  async stored(stream: string): Promise<void> {
    await until(
      `${this.#published} messages in ${stream}`,
      async () => (await this.#lastSeq(stream)) >= this.#before + this.#published,
    );
  }

  /** Pulls `count` messages of a durable consumer and returns their acknowledgement subjects. */
  async pull(stream: string, consumer: string, count: number): Promise<string[]> {
    const client = this.#client!;
    const sid = client.subscribe('_pull.inbox');
    client.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, `{"batch":${count}}`, '_pull.inbox');
    const acks: string[] = [];
    while (acks.length < count) acks.push((await client.next(sid))!.reply!);
    client.unsubscribe(sid);
    return acks;
  }

  /** Acknowledges and waits for the confirmation. */
  async ack(subject: string): Promise<void> {
    const answer = await this.#client!.request(subject, '+ACK', null, 5_000);
    if (answer.kind === 'silence') throw new Error('no confirmation');
  }

  async picture(stream: string): Promise<StreamPicture> {
    const info = await this.api(`STREAM.INFO.${stream}`, { deleted_details: true, subjects_filter: '>' });
    const state = info['state'] as Record<string, unknown>;
    const firstSeq = Number(state['first_seq']);
    const lastSeq = Number(state['last_seq']);
    // An unused stream lists sequence 0.
    const deleted = ((state['deleted'] as number[] | undefined) ?? []).filter((seq) => seq > 0);
    const gone = new Set(deleted);
    const sequences: number[] = [];
    for (let seq = firstSeq; seq <= lastSeq && Number(state['messages']) > 0; seq++) {
      if (!gone.has(seq)) sequences.push(seq);
    }
    const content = await this.#contents(stream, sequences);
    return {
      messages: Number(state['messages']),
      bytes: Number(state['bytes']),
      firstSeq,
      firstTime: timeOf(state['first_ts']),
      lastSeq,
      lastTime: timeOf(state['last_ts']),
      deleted,
      subjects: (state['subjects'] as Record<string, number> | undefined) ?? {},
      content,
    };
  }

  /** Asks for all of them at once. */
  async #contents(stream: string, sequences: readonly number[]): Promise<string[]> {
    const client = this.#client!;
    const sid = client.subscribe('_bulk.>');
    for (const seq of sequences) client.publish(`$JS.API.STREAM.MSG.GET.${stream}`, `{"seq":${seq}}`, `_bulk.${seq}`);
    const found = new Map<string, string>();
    while (found.size < sequences.length) {
      const answer = await client.next(sid);
      if (answer === null) throw new Error(`${found.size} of ${sequences.length} messages, then no answer`);
      found.set(answer.subject, answer.payload);
    }
    client.unsubscribe(sid);
    return sequences.map((seq) => contentOf(seq, found.get(`_bulk.${seq}`)!));
  }

  async #lastSeq(stream: string): Promise<number> {
    const { state } = (await this.api(`STREAM.INFO.${stream}`)) as { state: Record<string, unknown> };
    return Number(state['last_seq']);
  }
}

function contentOf(seq: number, reply: string): string {
  const { message } = JSON.parse(reply) as { message?: Record<string, string> };
  if (message === undefined) return `${seq}: ${reply}`;
  const header = Buffer.from(message['hdrs'] ?? '', 'base64').toString('latin1');
  const payload = Buffer.from(message['data'] ?? '', 'base64').toString('latin1');
  return line(Number(message['seq']), message['subject']!, message['time']!, header, payload);
}

/** The same of a store of ours. */
export async function pictureOf(store: MessageStore): Promise<StreamPicture> {
  const state = store.state();
  const subjects: Record<string, number> = {};
  store.eachSubject(null, (subject, { count }) => {
    subjects[subject] = count;
    return undefined;
  });
  const content: StreamPicture['content'] = [];
  for (let seq = Math.max(1, state.firstSeq); seq <= state.lastSeq; seq++) {
    const message = await load(store, seq);
    if (message === null) continue;
    const { subject, header, payload, timeMs, timeNs } = message;
    content.push(line(seq, subject, rfc3339({ ms: timeMs, ns: timeNs })!, header, payload));
  }
  return {
    messages: state.messages,
    bytes: state.bytes,
    firstSeq: state.firstSeq,
    firstTime: rfc3339(state.firstTime),
    lastSeq: state.lastSeq,
    lastTime: rfc3339(state.lastTime),
    deleted: store.deletedSeqs(),
    subjects,
    content,
  };
}

function line(seq: number, subject: string, time: string, header: string, payload: string): string {
  const short = payload.length <= 32 ? payload : createHash('sha256').update(payload, 'latin1').digest('hex');
  return JSON.stringify([seq, subject, time, header, payload.length, short]);
}

/** Sequences of the messages in a picture. */
export function sequencesOf(picture: StreamPicture): number[] {
  return picture.content.map((text) => (JSON.parse(text) as number[])[0]!);
}

function timeOf(text: unknown): string | null {
  return text === ZERO_TIME ? null : String(text);
}

/** As Go's RFC3339Nano: no trailing zeros. */
function rfc3339(time: { ms: number; ns: number } | null): string | null {
  if (time === null) return null;
  const seconds = Math.floor(time.ms / 1000);
  const fraction = String((time.ms - seconds * 1000) * 1_000_000 + time.ns).padStart(9, '0');
  const trimmed = fraction.replace(/0+$/, '');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${trimmed === '' ? '' : `.${trimmed}`}Z`;
}
