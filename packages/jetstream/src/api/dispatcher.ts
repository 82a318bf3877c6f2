import { Sublist } from '@nats-ts/sublist';
import type { JetStreamAccount } from '../account.ts';
import type { Engine } from '../engine.ts';
import { ApiError, apiError } from '../errors/api-error.ts';
import { JS_ERRORS } from '../errors/errors.generated.ts';
import type { HostMessage, HostSubscription } from '../host.ts';
import { encodeJson } from '../json/encode.ts';
import type { ApiObserver } from '../observer.ts';
import { hasAdvisoryInterest, publishAdvisory } from './advisory.ts';
import { API_PREFIX, ApiCall, type CallSink, toApiError } from './api-call.ts';
import { RareWarnings } from './rare-warnings.ts';
import { RequestQueue } from './request-queue.ts';
import type { ApiRoute, ApiRoutes } from './routes.ts';

/** Replies about something that is offline come late, as in nats-server. */
const OFFLINE_DELAY_MS = 500;

/** Name of the account whose JetStream is never enabled. */
const SYSTEM_ACCOUNT = '$SYS';

interface Queued {
  readonly call: ApiCall;
  readonly route: NamedRoute;
  /** When it came; only if somebody watches. */
  readonly receivedMs: number;
}

/** A route, and its pattern without the wildcards. */
interface NamedRoute {
  readonly route: ApiRoute;
  readonly name: string;
}

/** Takes the requests to `$JS.API.>` of one account, queues them and answers. Equivalent to apiDispatch in nats-server. */
export class ApiDispatcher {
  readonly #engine: Engine;
  readonly #account: JetStreamAccount;
  readonly #routes: Sublist<NamedRoute>;
  readonly #observer: ApiObserver | null;
  readonly #main: RequestQueue<Queued>;
  readonly #info: RequestQueue<Queued>;
  readonly #sink: CallSink;
  #subscription: HostSubscription | null = null;

  constructor(engine: Engine, account: JetStreamAccount, routes: ApiRoutes) {
    this.#engine = engine;
    this.#account = account;
    this.#routes = compile(routes);
    this.#observer = engine.settings.observer.api ?? null;
    const { clock } = engine.host;
    const limit = engine.settings.limits.requestQueue;
    const warnings = new RareWarnings(engine.host.log, clock);
    this.#sink = {
      isStrict: engine.settings.strict,
      answer: (call, response, failed) => this.#answer(call, response, failed),
      invalid: ({ subject }, problem) =>
        warnings.warn(`Invalid JetStream request '${account.name} > ${subject}': ${problem}`),
    };
    const run = (queued: Queued): void | Promise<void> => this.#run(queued);
    const overflow = (dropped: number): void => this.#overflow(dropped);
    const failed = (error: unknown): void => engine.host.log.error(`JetStream API request failed: ${String(error)}`);
    const laneOf = ({ call, route: { route } }: Queued): string | null => route.lane?.(call.tokens) ?? null;
    const clientOf = ({ call }: Queued): number => call.client?.id ?? 0;
    this.#main = new RequestQueue(limit, clock, run, overflow, failed, laneOf, clientOf);
    this.#info = new RequestQueue(limit, clock, run, overflow, failed, () => null, clientOf);
  }

  /** Requests that wait. */
  get pending(): number {
    return this.#main.length + this.#info.length;
  }

  start(): void {
    this.#subscription = this.#account.account.subscribe(`${API_PREFIX}>`, null, (message) => this.#receive(message));
  }

  stop(): void {
    this.#subscription?.close();
    this.#subscription = null;
    this.#main.clear();
    this.#info.clear();
  }

  /** Runs in the publisher's turn. False = "no responders". */
  #receive(message: HostMessage): boolean {
    const subject = message.subject;
    // These two are subscribed to by whoever answers them; nobody there is to be seen as such (spec/jetstream.md 1.1).
    if (subject.startsWith('CONSUMER.MSG.NEXT.', API_PREFIX.length)) return false;
    if (subject.startsWith('DIRECT.GET.', API_PREFIX.length)) return false;
    // Only clients ask. What the server itself sends here (an answer whose reply subject is an API subject, a message that
    // is republished or pushed to one) is no request: nothing may go round in circles.
    const client = message.clientInfo();
    if (client === null) return true;
    const route = this.#routes.match(subject.slice(API_PREFIX.length)).plain[0];
    if (this.#account.account.jetstreamLimits === null) {
      this.#refuseDisabled(message, route?.route);
      return true;
    }
    if (route === undefined) return true;
    const call = this.#callOf(message, route.route);
    const receivedMs = this.#observer === null ? 0 : this.#engine.host.clock.now();
    (route.route.queue === 'info' ? this.#info : this.#main).push({ call, route, receivedMs }, message);
    return true;
  }

  #callOf(message: HostMessage, route: Pick<ApiRoute, 'type' | 'errorFields'>): ApiCall {
    return new ApiCall(message, route, this.#sink);
  }

  #refuseDisabled(message: HostMessage, route: ApiRoute | undefined): void {
    const isSystem = this.#account.name === SYSTEM_ACCOUNT;
    const subject = message.subject.slice(API_PREFIX.length);
    if (isSystem && /^(META|SERVER|ACCOUNT)\./.test(subject)) return;
    if (isSystem && subject !== 'INFO') {
      this.#callOf(message, { type: 'system_response' }).fail(apiError('NotEnabledForAccount'));
    } else if (route !== undefined) {
      this.#callOf(message, route).fail(apiError('NotEnabledForAccount'));
    }
  }

  #run({ call, route: { route, name }, receivedMs }: Queued): void | Promise<void> {
    if (this.#observer !== null) this.#watch(this.#observer, call, name, receivedMs);
    try {
      if (route.levelCheck === undefined) call.requireLevel();
      const pending = route.handle(call, this.#account);
      if (pending === undefined) return;
      return pending.catch((error: unknown) => this.#fail(call, error));
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #watch(observer: ApiObserver, call: ApiCall, name: string, receivedMs: number): void {
    // The names stand behind the tokens of the pattern: a stream's, then a consumer's.
    const [stream = '', consumer = ''] = call.tokens.slice(name.split('.').length);
    call.watched = observer.apiBegan(
      { account: this.#account.name, name, stream, consumer, header: call.header },
      receivedMs,
    );
  }

  #fail(call: ApiCall, error: unknown): void {
    const failure = toApiError(error);
    if (failure !== error)
      this.#engine.host.log.error(`JetStream API request ${call.subject} failed: ${String(error)}`);
    if (call.isAnswered) return;
    const isOffline =
      failure.errCode === JS_ERRORS.StreamOfflineReason.errCode ||
      failure.errCode === JS_ERRORS.ConsumerOfflineReason.errCode;
    if (isOffline) this.#engine.host.clock.setTimer(() => call.fail(failure), OFFLINE_DELAY_MS);
    else call.fail(failure);
  }

  #answer(call: ApiCall, response: Readonly<Record<string, unknown>>, failed: boolean): void {
    const account = this.#account;
    const text = encodeJson(response);
    if (call.watched !== null) {
      const error = response['error'];
      this.#observer?.apiEnded(call.watched, error instanceof ApiError ? error : null);
    }
    const isSilent = SILENT_TYPES.has(String(response['type'])) && !failed;
    if (!isSilent) account.countApi(failed);
    if (call.reply !== null) account.account.deliver(call.reply, call.reply, null, null, Buffer.from(text));
    if (!isSilent && hasAdvisoryInterest(account.account, '$JS.EVENT.ADVISORY.API')) {
      publishAdvisory(
        this.#engine.host,
        account.account,
        '$JS.EVENT.ADVISORY.API',
        'io.nats.jetstream.advisory.v1.api_audit',
        {
          server: this.#engine.host.serverName,
          client: call.client ?? undefined,
          subject: call.subject,
          request: call.body.length === 0 ? undefined : call.body.toString(),
          response: text,
        },
      );
    }
  }

  #overflow(dropped: number): void {
    const { host } = this.#engine;
    host.log.warn(`JetStream API queue limit reached, dropping ${dropped} requests`);
    for (const account of host.accounts()) {
      if (account.name !== SYSTEM_ACCOUNT) continue;
      publishAdvisory(
        host,
        account,
        '$JS.EVENT.ADVISORY.API.LIMIT_REACHED',
        'io.nats.jetstream.advisory.v1.api_limit_reached',
        { server: host.serverName, dropped },
      );
    }
  }
}

/** Answers that neither count nor reach the audit when they succeed (spec/jetstream.md 1.1 "audit"). */
const SILENT_TYPES = new Set(
  ['stream_msg_get_response', 'consumer_reset_response'].map((type) => `io.nats.jetstream.api.v1.${type}`),
);

function compile(routes: ApiRoutes): Sublist<NamedRoute> {
  const list = new Sublist<NamedRoute>();
  for (const [pattern, route] of Object.entries(routes)) {
    list.insert(pattern, null, { route, name: pattern.replace(/(\.[*>])+$/, '') });
  }
  return list;
}
