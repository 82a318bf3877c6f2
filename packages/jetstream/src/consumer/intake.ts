import type { HostMessage, HostSubscription } from '../host.ts';
import type { Acks } from './acks.ts';
import type { ConsumerCore } from './core.ts';
import type { Delivery } from './delivery.ts';
import type { PullTarget } from './pull.ts';
import { STATUS_PUSH_BASED } from './status.ts';

/** What clients send to one consumer: pull requests and acks. */
export class Intake {
  readonly #core: ConsumerCore;
  readonly #acks: Acks;
  readonly #delivery: Delivery;
  /** Null for a push consumer. */
  readonly #pull: PullTarget | null;
  #subscriptions: HostSubscription[] = [];

  constructor(core: ConsumerCore, acks: Acks, delivery: Delivery, pull: PullTarget | null) {
    this.#core = core;
    this.#acks = acks;
    this.#delivery = delivery;
    this.#pull = pull;
  }

  /** Subscribes. Without acks there is no subscription for them: whoever acks is told that nobody listens. */
  open(): void {
    const { stream, name, settings } = this.#core;
    if (settings.ackPolicy !== 'none') this.#subscribe(this.#acks.pattern, (message) => this.#onAck(message));
    this.#subscribe(`$JS.API.CONSUMER.MSG.NEXT.${stream.name}.${name}`, (message) => this.#onNext(message));
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions = [];
  }

  /** The pull request of a `+NXT`. */
  onNextAck(reply: string, buffer: Buffer, start: number, end: number): void {
    if (this.#pull !== null) this.#pull.request(reply, buffer, start, end);
    else this.#refusePull(reply);
  }

  #subscribe(subject: string, callback: (message: HostMessage) => void): void {
    const subscription = this.#core.stream.account.subscribe(subject, null, (message) => {
      callback(message);
      return true;
    });
    this.#subscriptions.push(subscription);
  }

  #onNext(message: HostMessage): void {
    if (this.#pull !== null) this.#pull.onNext(message);
    else if (message.reply !== null) this.#refusePull(message.reply);
  }

  #refusePull(reply: string): void {
    this.#core.stream.account.deliver(reply, reply, null, STATUS_PUSH_BASED, null);
  }

  #onAck(message: HostMessage): void {
    if (!this.#delivery.isSending) {
      this.#acks.onAck(message);
      return;
    }
    // A receiver inside of this process acked while the message was being handed over: the delivery is booked first.
    const copy = copyOf(message);
    this.#core.clock.setTimer(() => {
      if (!this.#core.isStopped) this.#acks.onAck(copy);
    }, 0);
  }
}

/** The message without its headers, in a buffer of its own. */
function copyOf(message: HostMessage): HostMessage {
  const { subject, reply, payloadStart, payloadEnd } = message;
  const buffer = Buffer.from(message.buffer.subarray(payloadStart, payloadEnd));
  const nobody = (): null => null;
  return {
    subject,
    reply,
    buffer,
    headerStart: 0,
    payloadStart: 0,
    payloadEnd: buffer.length,
    clientInfo: nobody,
    holdPublisher: nobody,
  };
}
