import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type CloseReason,
  type ConnectOptions,
  DEFAULT_CONNECT_OPTIONS,
  encodeError,
  OK,
  type ParserLimits,
  PING,
  type PublishArgs,
  ServerParser,
  subjectFromBytes,
} from '@nats-ts/protocol';
import type { Account } from '../account.ts';
import type { User } from '../auth/authenticator.ts';
import type { ClientKind } from '../client-kind.ts';
import type { MessageFrame } from '../delivery/message-frame.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { ClientInfo } from '../internal-message.ts';
import { RTT_REPLY_BYTES_MIN } from '../limits.ts';
import { WheelTimer } from '../timer-wheel.ts';
import { Traffic } from '../traffic.ts';
import { Access } from './access.ts';
import { Backpressure } from './backpressure.ts';
import { clientInfoOf } from './client-info.ts';
import { endSocket } from './closing.ts';
import { ConnectionLog } from './connection-log.ts';
import type { ConnectionContext } from './context.ts';
import { endFailed, endNotLoggedIn } from './endings.ts';
import { forgetAll } from './forgetting.ts';
import { logLabel, plainAddress } from './identity.ts';
import { Intake } from './intake.ts';
import { noResponders } from './no-responders.ts';
import { Operations } from './operations.ts';
import { Outbound, type OutboundOwner } from './outbound.ts';
import { Pinger } from './pinger.ts';
import { tlsVersion } from './tls-gate.ts';
import { Tracer } from './tracer.ts';

/** One client: its socket, what it said in CONNECT, its subscriptions and its output (spec/core.md 1–4). */
export class Connection extends Traffic implements OutboundOwner {
  readonly kind: ClientKind = 'client';
  readonly cid: number;
  readonly context: ConnectionContext;
  /** Address of the peer. */
  readonly ip: string;
  /** The same as the socket shows it. */
  readonly rawIp: string;
  readonly port: number;
  /** When it was accepted: epoch, and on the clock for intervals. */
  readonly startMs: number;
  readonly startedMs: number;
  readonly subscriptions: Map<string, Subscription> = new Map();
  readonly limits: ParserLimits;
  readonly intake: Intake;
  readonly outbound: Outbound;
  readonly pinger: Pinger;
  readonly backpressure: Backpressure;
  readonly log: ConnectionLog;
  readonly trace: Tracer;
  /** Own messages come back to own subscriptions. */
  echo = true;
  /** It takes header blocks. */
  headers = false;
  wantsNoResponders = false;
  /** Its publishes need more than a look at the subject: verbose, pedantic, permissions or tracing. */
  checksPublishes = true;
  /** Some messages its subscriptions match are denied to it. */
  deniesDeliveries = false;
  /** Pending bytes above which producers are slowed. */
  readonly stallBytes: number;
  /** How it is encrypted; null = not. */
  tls: { readonly version: string; readonly cipherSuite: string; readonly isFirst: boolean } | null = null;
  options: ConnectOptions = { ...DEFAULT_CONNECT_OPTIONS };
  account: Account;
  user: User | null;
  hasConnected = false;
  closeReason: CloseReason | null = null;
  /** Epoch of the last message or subscription, either way. */
  lastActivityMs: number;
  /** Last message, subscription or PING from the client, on the clock for intervals. */
  lastInputMs: number;
  #socket: Socket;
  #access: Access | null = null;
  #flushedMsgs = 0;
  readonly #authTimer: WheelTimer;

  constructor(context: ConnectionContext, socket: Socket, cid: number) {
    super();
    const { settings, clock } = context;
    this.context = context;
    this.cid = cid;
    this.#socket = socket;
    this.rawIp = socket.remoteAddress ?? '';
    this.ip = plainAddress(this.rawIp);
    this.port = socket.remotePort ?? 0;
    this.startMs = clock.now();
    this.startedMs = clock.monotonicMs();
    this.lastActivityMs = this.startMs;
    this.lastInputMs = this.startedMs;
    this.log = new ConnectionLog(context, this.ip, this.port, cid);
    this.backpressure = new Backpressure(this);
    this.account = context.globalAccount;
    this.user = context.authenticator.noAuthUser;
    this.limits = {
      maxControlLine: settings.maxControlLine,
      maxPayload: settings.maxPayload,
      headers: false,
      connectRequired: context.authenticator.isRequired && this.user === null,
    };
    this.stallBytes = Math.floor(settings.maxPending / 4) * 3;
    this.outbound = new Outbound(this, socket, context.slabs, context.flushQueue, settings.maxPending);
    this.pinger = new Pinger(this);
    this.trace = new Tracer(this, settings);
    this.intake = new Intake(this, new ServerParser(new Operations(this), this.limits, context.frames), socket);
    this.#authTimer = new WheelTimer(() => endNotLoggedIn(this));
    if (this.user !== null) this.#setUser(this.user);
  }

  get isClosed(): boolean {
    return this.closeReason !== null;
  }

  /** Lines for every message are wanted. */
  get traces(): boolean {
    return this.context.settings.trace;
  }

  /** The connection goes on over TLS; `isTlsFirst` = from before INFO. */
  setSocket(socket: TLSSocket, isTlsFirst: boolean): void {
    this.#socket = socket;
    this.tls = { version: tlsVersion(socket), cipherSuite: socket.getCipher().standardName, isFirst: isTlsFirst };
    this.outbound.setSocket(socket);
    this.intake.setSocket(socket);
  }

  /** Begins to wait for CONNECT, if one is needed, and for signs of life. */
  start(authTimeoutMs: number): void {
    if (this.isClosed) return;
    if (this.limits.connectRequired) this.context.wheel.set(this.#authTimer, authTimeoutMs);
    this.pinger.start();
  }

  // ---- CONNECT

  connectArrived(): void {
    this.hasConnected = true;
    this.lastActivityMs = this.context.clock.now();
    this.context.wheel.clear(this.#authTimer);
    this.pinger.connected();
  }

  setOptions(options: ConnectOptions): void {
    this.options = options;
    this.echo = options.echo;
    this.headers = options.headers && !this.context.settings.noHeaderSupport;
    this.limits.headers = this.headers;
    this.wantsNoResponders = options.no_responders;
    this.#updateChecks();
  }

  loggedIn(user: User | null, isFirst: boolean): void {
    this.limits.connectRequired = false;
    if (user !== null) this.#setUser(user);
    if (isFirst) this.log.addLabel(logLabel(this.options, this.account.name));
  }

  // ---- what it may do

  mayPublish(subject: string): boolean {
    return this.#access === null || this.#access.mayPublish(subject);
  }

  maySubscribe(subject: string, queue: string | null): boolean {
    if (this.#access === null) return true;
    const isAllowed = this.#access.maySubscribe(subject, queue);
    this.deniesDeliveries = this.#access.filtersDeliveries;
    return isAllowed;
  }

  deniesDelivery(subject: string, queue: string | null): boolean {
    return this.#access?.deniesDelivery(subject, queue) ?? false;
  }

  #setUser(user: User): void {
    this.user = user;
    this.#access = user.permissions === null ? null : new Access(user.permissions, this.context.clock);
    this.deniesDeliveries = false;
    this.#updateChecks();
  }

  #updateChecks(): void {
    const limitsPublish = this.#access?.permissions.limitsPublish ?? false;
    this.checksPublishes = this.options.verbose || this.options.pedantic || limitsPublish || this.traces;
  }

  // ---- subscriptions

  removeSubscription(subscription: Subscription): void {
    if (this.traces) this.log.trace(`<-> [DELSUB ${subscription.sid}]`);
    this.subscriptions.delete(subscription.sid);
    this.account.unsubscribe(subscription);
  }

  /** Ends them all at once; many are taken out in portions, so that nobody waits for it. */
  dropSubscriptions(): void {
    forgetAll(this.account, [...this.subscriptions.values()], this.context.clock);
    this.subscriptions.clear();
  }

  /** The last message it asked for was delivered. */
  reachedMax(subscription: Subscription): void {
    this.log.debug(`Auto-unsubscribe limit of ${subscription.max} reached for sid '${subscription.sid}'`);
    this.removeSubscription(subscription);
  }

  // ---- output

  deliver(subscription: Subscription, frame: MessageFrame): void {
    let message = frame;
    let isHmsg = false;
    if (frame.hasHeader) {
      isHmsg = this.headers;
      if (!isHmsg) message = frame.bare();
    }
    this.outMsgs++;
    this.outBytes += message.size;
    this.outbound.appendMessage(subscription, message, isHmsg);
    if (frame.replyStart >= 0) this.#deliveredRequest(message);
    if (this.traces) this.trace.delivered(subscription, message);
  }

  #deliveredRequest(frame: MessageFrame): void {
    if (this.pinger.rttMs === 0 && frame.replyEnd - frame.replyStart > RTT_REPLY_BYTES_MIN) this.pinger.measure();
    if (this.#access?.tracksReplies) this.#access.delivered(frame.reply!);
  }

  sendNoResponders(subject: string, args: PublishArgs): void {
    const reply = subjectFromBytes(args.buffer, args.replyStart, args.replyEnd);
    const line = noResponders(this, subject, reply);
    if (line !== null) this.outbound.append(line);
  }

  sendOk(): void {
    if (this.traces) this.trace.sent('OK');
    this.outbound.append(OK);
  }

  sendPing(): void {
    if (this.traces) this.trace.sent('PING');
    this.outbound.append(PING);
  }

  sendError(text: string): void {
    if (this.traces) this.trace.sent('-ERR', text);
    this.outbound.append(encodeError(text));
  }

  flush(): void {
    if (this.outMsgs !== this.#flushedMsgs) {
      this.#flushedMsgs = this.outMsgs;
      this.lastActivityMs = this.context.clock.now();
    }
    try {
      this.outbound.flush();
    } catch (error) {
      endFailed(this, error);
    }
  }

  /** Something came from the client that shows it is alive. */
  heard(): void {
    this.lastInputMs = this.context.clock.monotonicMs();
  }

  /** As `heard`, and it counts as activity: messages and subscriptions. */
  wasActive(): void {
    this.heard();
    this.lastActivityMs = this.context.clock.now();
  }

  onWriteBlocked(): void {
    this.backpressure.writeBlocked();
  }

  onWriteProgress(): void {
    this.backpressure.writeProgress();
  }

  onPendingExceeded(): void {
    this.backpressure.pendingExceeded();
  }

  // ---- the end

  /** Closes it. The output goes out first, within 100 ms, unless the reason says that nobody takes it. */
  close(reason: CloseReason): void {
    if (this.closeReason !== null) return;
    this.closeReason = reason;
    const { wheel, clock } = this.context;
    this.intake.stop();
    this.pinger.stop();
    wheel.clear(this.#authTimer);
    this.backpressure.stop();
    this.log.debug(`Client connection closed: ${reason}`);
    this.context.onClosed(this);
    this.dropSubscriptions();
    endSocket(this.#socket, this.outbound, reason, clock);
  }

  /** Resolves when the socket is closed. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.once('close', () => resolve());
    });
  }

  // ---- what others see of it

  clientInfo(): ClientInfo {
    return clientInfoOf(this);
  }
}
