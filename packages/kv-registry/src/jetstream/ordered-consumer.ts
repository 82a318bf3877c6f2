import type { BucketWatch } from '../bucket.ts';
import type { RegistryClock } from '../clock.ts';
import { decodeStoreKey } from '../store-key.ts';
import { ALL_KEYS, apiRequest, expectSuccess, KEY_PREFIX, STREAM } from './bucket-stream.ts';
import type { JetStreamLink, LinkMessage } from './link.ts';

const IDLE_HEARTBEAT_MS = 5_000;
/** A consumer that is silent for longer than this, heartbeats included, is gone. */
export const SILENCE_MAX_MS = 10_000;
const NS_PER_MS = 1_000_000;
const ACK_WAIT_NS = 79_200_000_000_000;

/** An entry of the bucket as a consumer delivers it. */
export interface DeliveredEntry {
  readonly key: string;
  readonly isDeleted: boolean;
  readonly payload: Uint8Array;
  /** When the server stored it, milliseconds since 1970. */
  readonly storedMs: number;
}

/** Told by a consumer. */
export interface ConsumerHandler {
  entry(entry: DeliveredEntry): void;
  /** Everything that was there when the consumer was made has been reported. */
  current(): void;
  /** Messages were missed, or the consumer is gone. Nothing follows. */
  broken(reason: string): void;
}

/**
 * The ordered consumer that nats.go makes for listing keys and for watching (spec/ocis.md 4): the last message of every
 * key, then what follows, without acknowledgements. It does not heal itself; its owner makes another.
 */
export class OrderedConsumer {
  readonly #link: JetStreamLink;
  readonly #clock: RegistryClock;
  readonly #handler: ConsumerHandler;
  readonly #inbox: string;
  readonly #name: string;
  readonly #subscription: BucketWatch;
  #delivered = 0;
  /** How many messages there were at first; null until the server has said so. */
  #initial: number | null = null;
  #isCurrent = false;
  #lastSeen: number;
  #timer: { cancel(): void } | null = null;
  #stopped = false;

  constructor(link: JetStreamLink, clock: RegistryClock, handler: ConsumerHandler) {
    this.#link = link;
    this.#clock = clock;
    this.#handler = handler;
    this.#inbox = link.newInbox();
    this.#name = this.#inbox.slice(-8).replaceAll('.', '0');
    this.#lastSeen = clock.now();
    this.#subscription = link.subscribe(this.#inbox, (message) => this.#receive(message));
  }

  /** Makes it on the server. `headersOnly`: without the values. */
  async start(headersOnly: boolean): Promise<void> {
    const answer = await apiRequest(this.#link, `CONSUMER.CREATE.${STREAM}.${this.#name}.${ALL_KEYS}`, {
      stream_name: STREAM,
      config: {
        name: this.#name,
        deliver_policy: 'last_per_subject',
        ack_policy: 'none',
        ack_wait: ACK_WAIT_NS,
        max_deliver: 1,
        filter_subject: ALL_KEYS,
        replay_policy: 'instant',
        flow_control: true,
        idle_heartbeat: IDLE_HEARTBEAT_MS * NS_PER_MS,
        ...(headersOnly ? { headers_only: true } : {}),
        deliver_subject: this.#inbox,
        num_replicas: 1,
        mem_storage: true,
      },
    });
    expectSuccess(answer, 'consumer of the registry');
    if (this.#stopped) return;
    const delivered = (answer['delivered'] ?? {}) as { consumer_seq?: number };
    this.#initial = Number(answer['num_pending'] ?? 0) + Number(delivered.consumer_seq ?? 0);
    this.#lastSeen = this.#clock.now();
    this.#watchSilence();
    this.#checkCurrent();
  }

  /** Ends it here and on the server. A second call does nothing. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    this.#subscription.stop();
    // Nobody waits for this one: without a subscriber the server drops the consumer after 5 s by itself.
    this.#link.publish(`$JS.API.CONSUMER.DELETE.${STREAM}.${this.#name}`);
  }

  #receive(message: LinkMessage): void {
    if (this.#stopped) return;
    this.#lastSeen = this.#clock.now();
    if (message.status !== 0) {
      this.#receiveStatus(message);
      return;
    }
    const position = parsePosition(message.reply);
    if (position === null || position.sequence !== this.#delivered + 1) {
      this.#break(`message ${position?.sequence ?? 'without a number'} came after ${this.#delivered}`);
      return;
    }
    this.#delivered++;
    const key = message.subject.startsWith(KEY_PREFIX)
      ? decodeStoreKey(message.subject.slice(KEY_PREFIX.length))
      : null;
    if (key !== null) {
      this.#handler.entry({
        key,
        isDeleted: isDeleteMarker(message),
        payload: message.payload,
        storedMs: position.storedMs,
      });
    }
    this.#checkCurrent();
  }

  #receiveStatus(message: LinkMessage): void {
    if (message.status !== 100) {
      this.#break(`the server ended it with status ${message.status}`);
      return;
    }
    // Flow control asks through the reply, a heartbeat of a stalled consumer through a header.
    const asked = message.reply ?? message.header('Nats-Consumer-Stalled');
    if (asked !== '') this.#link.publish(asked);
    const last = message.header('Nats-Last-Consumer');
    if (last !== '' && Number(last) !== this.#delivered)
      this.#break(`${last} messages were sent, ${this.#delivered} arrived`);
  }

  #checkCurrent(): void {
    if (this.#isCurrent || this.#stopped || this.#initial === null || this.#delivered < this.#initial) return;
    this.#isCurrent = true;
    this.#handler.current();
  }

  #watchSilence(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        const silentMs = this.#clock.now() - this.#lastSeen;
        if (silentMs >= SILENCE_MAX_MS) this.#break(`nothing came for ${SILENCE_MAX_MS} ms`);
        else this.#watchSilence();
      },
      Math.max(1, this.#lastSeen + SILENCE_MAX_MS - this.#clock.now()),
    );
  }

  #break(reason: string): void {
    this.stop();
    this.#handler.broken(reason);
  }
}

/** Whether the entry was deleted: by a client, or by a server that leaves markers for what has expired. */
export function isDeleteMarker(message: LinkMessage): boolean {
  const operation = message.header('KV-Operation');
  return operation === 'DEL' || operation === 'PURGE' || message.header('Nats-Marker-Reason') !== '';
}

const ACK_TOKENS = 9;

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>`; ADR-15 puts two tokens before the stream. */
function parsePosition(reply: string | null): { sequence: number; storedMs: number } | null {
  const tokens = reply?.split('.') ?? [];
  if (tokens.length < ACK_TOKENS || tokens[0] !== '$JS' || tokens[1] !== 'ACK') return null;
  const at = tokens.length > ACK_TOKENS ? 2 : 0;
  const [sequence, time] = [tokens[at + 6], tokens[at + 7]];
  if (sequence === undefined || time === undefined || !/^\d+$/.test(sequence) || !/^\d+$/.test(time)) return null;
  return { sequence: Number(sequence), storedMs: Number(time.slice(0, -6)) };
}
