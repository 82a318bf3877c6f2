import type { OracleVersion } from '../../../../tests/src/oracle.ts';
import { ServerProcess } from '../../../../tests/src/server-process.ts';
import { WireClient } from '../../../../tests/src/wire-client.ts';

import type { ConsumerState } from '../../src/store/store.ts';

/** What CONSUMER.INFO says of a position. */
export interface Info {
  config: Record<string, unknown>;
  created: string;
  delivered: { consumer_seq: number; stream_seq: number };
  ack_floor: { consumer_seq: number; stream_seq: number };
  num_ack_pending: number;
  num_redelivered: number;
  num_pending: number;
}

/** A genuine nats-server on a directory, and a client of it. */
export class Oracle implements AsyncDisposable {
  readonly #server: ServerProcess;
  readonly #client: WireClient;

  private constructor(server: ServerProcess, client: WireClient) {
    this.#server = server;
    this.#client = client;
  }

  static async start(directory: string, version: OracleVersion): Promise<Oracle> {
    const args = ['-js', '-sd', directory, '-a', '127.0.0.1', '-p', '-1'];
    const server = await ServerProcess.oracle({ args }, version);
    return new Oracle(server, await WireClient.connect(server.port));
  }

  async api<T = Record<string, unknown>>(subject: string, body: object | null = null): Promise<T> {
    const answer = await this.#client.request(
      `$JS.API.${subject}`,
      body === null ? '' : JSON.stringify(body),
      null,
      5000,
    );
    if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
    const reply = JSON.parse(answer.message.payload) as T & { error?: unknown };
    if (reply.error !== undefined) throw new Error(`${subject}: ${JSON.stringify(reply.error)}`);
    return reply;
  }

  info(stream: string, consumer: string): Promise<Info> {
    return this.api<Info>(`CONSUMER.INFO.${stream}.${consumer}`);
  }

  async publish(subject: string, times: number): Promise<void> {
    for (let at = 0; at < times; at++) await this.#client.request(subject, `${at}`, null, 5000);
  }

  /** Fetches messages; returns the subjects that ack them. */
  async pull(stream: string, consumer: string, batch: number): Promise<string[]> {
    const inbox = `in.${Math.trunc(performance.now() * 1000)}`;
    const sid = this.#client.subscribe(inbox);
    this.#client.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify({ batch }), inbox);
    const replies: string[] = [];
    while (replies.length < batch) {
      const message = await this.#client.next(sid);
      if (message?.reply === null || message === null)
        throw new Error(`only ${replies.length} of ${batch} messages came`);
      replies.push(message.reply);
    }
    this.#client.unsubscribe(sid);
    return replies;
  }

  /** Acks and waits for the confirmation. */
  async ack(reply: string, body = '+ACK'): Promise<void> {
    const answer = await this.#client.request(reply, body, null, 5000);
    if (answer.kind === 'silence') throw new Error(`ack of ${reply} was not confirmed`);
  }

  async stop(): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#server.kill();
  }
}

/** A state as CONSUMER.INFO tells it. */
export function position(state: ConsumerState): object {
  return {
    delivered: { consumer_seq: state.delivered.consumerSeq, stream_seq: state.delivered.streamSeq },
    ack_floor: { consumer_seq: state.ackFloor.consumerSeq, stream_seq: state.ackFloor.streamSeq },
    num_ack_pending: state.pending.size,
    num_redelivered: state.redelivered.size,
  };
}

/** The same part of CONSUMER.INFO. */
export function positionOf({ delivered, ack_floor, num_ack_pending, num_redelivered }: Info): object {
  const plainly = ({ consumer_seq, stream_seq }: Info['delivered']): object => ({ consumer_seq, stream_seq });
  return { delivered: plainly(delivered), ack_floor: plainly(ack_floor), num_ack_pending, num_redelivered };
}
