import type { RequestedConfig } from '../../src/consumer/config.ts';
import { completeConfig } from '../../src/consumer/config.ts';
import type { Consumer } from '../../src/consumer/consumer.ts';
import { createOrUpdate } from '../../src/consumer/lifecycle.ts';
import { ApiError } from '../../src/errors/api-error.ts';
import type { StreamConfig } from '../../src/stream/config.ts';
import type { Received } from '../fake-host.ts';
import { turns } from '../manual-clock.ts';
import { type FakeConsumerStore, FakeStream } from './fake-stream.ts';

/** A stream with consumers, and a client that pulls, listens and acks. */
export class Workbench {
  readonly stream: FakeStream;

  private constructor(stream: FakeStream) {
    this.stream = stream;
  }

  static async create(config: Partial<StreamConfig> = {}): Promise<Workbench> {
    return new Workbench(await FakeStream.create(config));
  }

  /** Creates (or updates) a consumer and puts it into service. */
  async consumer(
    config: RequestedConfig,
    options: { action?: '' | 'create' | 'update'; pedantic?: boolean } = {},
  ): Promise<Consumer> {
    const { consumer, isNew } = await createOrUpdate(this.stream, {
      stream: this.stream.name,
      config: completeConfig({ name: config.durable_name ?? 'c', ...config }),
      action: options.action ?? '',
      isPedantic: options.pedantic ?? false,
    });
    if (isNew) consumer.start();
    return consumer;
  }

  store(name = 'c'): FakeConsumerStore {
    return this.stream.stores.get(name)!;
  }

  /** Messages that arrive on a subject. */
  inbox(subject: string, queue: string | null = null): Received[] {
    return this.stream.account.inbox(subject, queue);
  }

  pull(reply: string, body: string | object = '', consumer = 'c', headers: Record<string, string> = {}): number {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.stream.account.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.stream.name}.${consumer}`, text, {
      reply,
      headers: Object.keys(headers).length === 0 ? '' : headers,
    });
  }

  /** Acknowledges (or whatever `body` says) a message by its ack subject; returns how many took it. */
  ack(message: Received | undefined, body = '+ACK', reply: string | null = null): number {
    return this.stream.account.publish(message!.reply!, body, { reply });
  }

  advance(ms: number): void {
    this.stream.host.clock.advance(ms);
  }

  /** Advisories on one event, e.g. `CONSUMER.MAX_DELIVERIES`. */
  advisories(event: string): Record<string, unknown>[] {
    const events: Record<string, unknown>[] = [];
    this.stream.account.listen(`$JS.EVENT.ADVISORY.${event}.>`, ({ payload }) => events.push(JSON.parse(payload)));
    return events;
  }
}

/** `payload` of data messages, the status line of others. */
export function gist(messages: readonly Received[]): string[] {
  return messages.map((message) => (isStatus(message) ? statusLine(message) : message.payload));
}

/** Deliveries, stream and consumer sequence, and pending count, from the ack subjects of data messages. */
export function numbers(messages: readonly Received[]): string[] {
  return messages
    .filter((message) => !isStatus(message))
    .map((message) => {
      const tokens = message.reply!.split('.');
      return `${tokens[4]}/${tokens[5]}/${tokens[6]}/${tokens[8]}`;
    });
}

export function isStatus(message: Received): boolean {
  return /^NATS\/1\.0 \d/.test(message.header);
}

export function statusLine(message: Received): string {
  return message.header.slice('NATS/1.0 '.length, message.header.indexOf('\r\n'));
}

/** The ApiError an action fails with. */
export async function failure(
  action: () => Promise<unknown>,
): Promise<{ err_code: number; description: string } | null> {
  try {
    await action();
    return null;
  } catch (error) {
    if (error instanceof ApiError) return { err_code: error.errCode, description: error.description };
    throw error;
  }
}

export { turns };
