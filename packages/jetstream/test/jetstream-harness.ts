import { JetStream } from '../src/jetstream.ts';
import type { JetStreamOptions } from '../src/options.ts';
import { MemoryStorage } from '../src/store/memory/memory-storage.ts';
import type { Storage } from '../src/store/store.ts';
import type { ConsumerModule } from '../src/stream/consumer-port.ts';
import { type FakeAccount, FakeHost, type PublishOptions } from './fake-host.ts';

/** A consumer part without consumers. */
export const NO_CONSUMERS: ConsumerModule = { routes: {}, recover: () => undefined };

/** An engine in a fake host and how a client of account $G talks to it. */
export class Harness {
  readonly host: FakeHost;
  readonly jetstream: JetStream;
  readonly account: FakeAccount;

  constructor(host: FakeHost, jetstream: JetStream) {
    this.host = host;
    this.jetstream = jetstream;
    this.account = host.account();
  }

  static async open(
    options: JetStreamOptions = {},
    storage: Storage = new MemoryStorage(),
    consumers: ConsumerModule = NO_CONSUMERS,
    host: FakeHost = new FakeHost(),
  ): Promise<Harness> {
    return new Harness(host, await JetStream.openWith(host, storage, options, consumers));
  }

  /** The answer to `$JS.API.<subject>` as text; '503' when there is no responder, 'silence' when nothing comes. */
  async api(subject: string, body: unknown = '', options: PublishOptions = {}): Promise<string> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask(`$JS.API.${subject}`, text, options);
  }

  /** The parsed answer. */
  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes, and the tests look at single fields.
  async json(subject: string, body: unknown = '', options: PublishOptions = {}): Promise<any> {
    return JSON.parse(await this.api(subject, body, options));
  }

  /** `<code> <err_code> <description>` of a refusal, 'ok' of a success. */
  async outcome(subject: string, body: unknown = '', options: PublishOptions = {}): Promise<string> {
    const { error } = await this.json(subject, body, options);
    return error === undefined ? 'ok' : `${error.code} ${error.err_code} ${error.description}`;
  }

  /** Publishes with a reply and gives the ack's text, a header of it in front. */
  async ask(subject: string, payload = '', options: PublishOptions = {}): Promise<string> {
    const answer = await this.account.request(subject, payload, options);
    if (answer === null) return '503';
    return answer === undefined ? 'silence' : answer.header + answer.payload;
  }

  /** Creates a stream; throws when it is refused. */
  async create(config: { name: string } & Record<string, unknown>): Promise<void> {
    const outcome = await this.outcome(`STREAM.CREATE.${config.name}`, config);
    if (outcome !== 'ok') throw new Error(outcome);
  }

  // biome-ignore lint/suspicious/noExplicitAny: see json().
  async state(stream: string, body: unknown = ''): Promise<any> {
    return (await this.json(`STREAM.INFO.${stream}`, body)).state;
  }
}
