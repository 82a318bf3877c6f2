import type { HostSubscription, StandingMessage } from '../host.ts';
import type { ConsumerConfig } from './config.ts';
import type { ConsumerCore } from './core.ts';
import type { DeliveryTarget } from './delivery.ts';
import { FlowWindow } from './flow-control.ts';
import { heartbeatStatus, STATUS_FLOW_CONTROL } from './status.ts';
import { WheelNode } from './timer-wheel.ts';

/** Pause before the next attempt when nobody took a message although there was interest. */
const NOBODY_RETRY_MS = 100;

/** Characters that make a flow control subject its own. */
const FLOW_TOKEN_LENGTH = 4;

class Alarm extends WheelNode {
  readonly #ring: (nowMs: number) => void;

  constructor(ring: (nowMs: number) => void) {
    super();
    this.#ring = ring;
  }

  onDue(nowMs: number): void {
    this.#ring(nowMs);
  }
}

/** The deliver subject of a push consumer: interest, heartbeats and flow control (spec/jetstream.md 4.2). */
export class PushTarget implements DeliveryTarget {
  readonly #core: ConsumerCore;
  readonly #flow: FlowWindow | null;
  readonly #onInterestChanged: (isActive: boolean) => void;
  readonly #heartbeat = new Alarm((nowMs) => this.#onHeartbeat(nowMs));
  readonly #retry = new Alarm(() => this.#refreshInterest());
  #subject = '';
  #group: string | null = null;
  #isActive = false;
  #lastSentMs = 0;
  #watch: HostSubscription | null = null;
  #flowSubscription: HostSubscription | null = null;

  /** @param onInterestChanged somebody began or ceased to listen; also told once at the start */
  constructor(core: ConsumerCore, onInterestChanged: (isActive: boolean) => void) {
    this.#core = core;
    this.#flow = core.config.flow_control ? new FlowWindow() : null;
    this.#onInterestChanged = onInterestChanged;
  }

  get isReady(): boolean {
    return this.#isActive && (this.#flow === null || !this.#flow.isStalled);
  }

  /** Somebody listens on the deliver subject (push_bound). */
  get isActive(): boolean {
    return this.#watch === null ? this.#hasListener() : this.#isActive;
  }

  start(): void {
    const { stream, name, clock, settings } = this.#core;
    if (this.#flow !== null) {
      this.#flowSubscription = stream.account.subscribe(`$JS.FC.${stream.name}.${name}.*`, null, (message) => {
        if (this.#flow?.answered(message.subject) === true) this.#core.wake();
        return true;
      });
    }
    this.#lastSentMs = clock.now();
    if (settings.idleHeartbeatMs > 0) {
      this.#core.wheel.arm(this.#heartbeat, this.#lastSentMs + settings.idleHeartbeatMs);
    }
    this.follow();
  }

  /** Watches the deliver subject that the configuration names now. */
  follow(): void {
    const { stream, config } = this.#core;
    this.#watch?.close();
    this.#subject = config.deliver_subject;
    this.#group = groupOf(config);
    this.#watch = stream.account.onInterest(this.#subject, this.#group, () => this.#refreshInterest());
    this.#isActive = this.#hasListener();
    this.#onInterestChanged(this.#isActive);
  }

  stop(): void {
    this.#watch?.close();
    this.#flowSubscription?.close();
    this.#core.wheel.disarm(this.#heartbeat);
    this.#core.wheel.disarm(this.#retry);
    this.#isActive = false;
  }

  send(message: StandingMessage, _bytes: number, nowMs: number): boolean {
    if (this.#core.stream.account.deliverStored(this.#subject, message) === 0) {
      this.#isActive = false;
      this.#core.wheel.arm(this.#retry, nowMs + NOBODY_RETRY_MS);
      return false;
    }
    this.#lastSentMs = nowMs;
    if (this.#flow !== null) {
      const bytes = this.#subject.length + message.replyEnd + message.payloadEnd - message.headerStart;
      if (this.#flow.sent(bytes)) this.#requestFlow(this.#flow);
    }
    return true;
  }

  onEnd(): void {}

  #hasListener(): boolean {
    const { stream, config } = this.#core;
    return stream.account.hasInterest(config.deliver_subject, groupOf(config));
  }

  #refreshInterest(): void {
    if (this.#core.isStopped) return;
    const wasActive = this.#isActive;
    this.#isActive = this.#hasListener();
    if (this.#isActive) this.#core.wheel.disarm(this.#retry);
    if (wasActive !== this.#isActive || !this.#isActive) this.#onInterestChanged(this.#isActive);
    if (this.#isActive) this.#core.wake();
  }

  #requestFlow(flow: FlowWindow): void {
    const { stream, name } = this.#core;
    const reply = `$JS.FC.${stream.name}.${name}.${stream.host.ids.token(FLOW_TOKEN_LENGTH)}`;
    flow.requested(reply);
    stream.account.deliver(this.#subject, this.#subject, reply, STATUS_FLOW_CONTROL, null);
  }

  #onHeartbeat(nowMs: number): void {
    const { settings, wheel, progress, backlog, stream } = this.#core;
    const silentUntilMs = this.#lastSentMs + settings.idleHeartbeatMs;
    if (nowMs < silentUntilMs) {
      wheel.arm(this.#heartbeat, silentUntilMs);
      return;
    }
    if (this.#isActive) {
      const stalledOn = this.#flow?.outstanding ?? null;
      const block = heartbeatStatus(progress.deliveredConsumerSeq, backlog.nextSeq - 1, stalledOn);
      stream.account.deliver(this.#subject, this.#subject, null, block, null);
    }
    this.#lastSentMs = nowMs;
    wheel.arm(this.#heartbeat, nowMs + settings.idleHeartbeatMs);
  }
}

function groupOf(config: ConsumerConfig): string | null {
  return config.deliver_group === '' ? null : config.deliver_group;
}
