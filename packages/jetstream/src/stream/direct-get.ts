import { requiresHigherLevel } from '../consumer/level.ts';
import type { HostMessage, HostSubscription } from '../host.ts';
import { decodeJson } from '../json/decode.ts';
import { JsonError } from '../json/value.ts';
import { sendBatch, sendMulti } from './direct-batch.ts';
import { DirectReply } from './direct-reply.ts';
import { isContradictory, MSG_GET_REQUEST, type MsgGetRequest, readOne } from './reading.ts';
import type { Stream } from './stream.ts';

/** Queue group of direct get: with mirrors, any of them may answer. */
const QUEUE = '_sys_';

/** Answers `$JS.API.DIRECT.GET.<stream>` and `….<subject>` while the stream has allow_direct (spec/jetstream.md 5.1). */
export class DirectGet {
  readonly #stream: Stream;
  readonly #subject: string;
  #subscriptions: HostSubscription[] = [];

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#subject = `$JS.API.DIRECT.GET.${stream.name}`;
  }

  /** Does nothing when it runs already. */
  start(): void {
    if (this.#subscriptions.length > 0) return;
    const { account } = this.#stream;
    this.#subscriptions = [
      account.subscribe(this.#subject, QUEUE, (message) => this.#receive(message, '')),
      account.subscribe(`${this.#subject}.>`, QUEUE, (message) =>
        this.#receive(message, message.subject.slice(this.#subject.length + 1)),
      ),
    ];
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions = [];
  }

  /** @param key the subject behind the stream's name, '' = the request is in the body. */
  #receive(message: HostMessage, key: string): boolean {
    const stream = this.#stream;
    if (stream.isClosed) return false;
    if (message.reply === null) return true;
    const reply = new DirectReply(stream, message.reply, this.#watched(message));
    const problem = this.#answer(message, key, reply);
    if (problem !== null) reply.status(problem);
    return true;
  }

  /** Tells whoever watches; null if nobody does. */
  #watched(message: HostMessage): number | null {
    const { getObserver, account, name, host } = this.#stream;
    if (getObserver === null) return null;
    const { buffer, headerStart, payloadStart } = message;
    const header = payloadStart > headerStart ? buffer.subarray(headerStart, payloadStart) : null;
    const request = { account: account.name, name: 'DIRECT.GET', stream: name, consumer: '', header };
    return getObserver.apiBegan(request, host.clock.now());
  }

  /** Returns the status of a refusal, or null. */
  #answer(message: HostMessage, key: string, reply: DirectReply): string | null {
    const { buffer, headerStart, payloadStart, payloadEnd } = message;
    if (requiresHigherLevel(buffer, headerStart, payloadStart)) return '412 Required Api Level';
    const isBodyEmpty = payloadStart === payloadEnd;
    if (isBodyEmpty && key === '') return '408 Empty Request';
    const request = isBodyEmpty ? {} : decode(buffer.subarray(payloadStart, payloadEnd));
    if (request === null) return '408 Malformed Request';
    const problem = key === '' ? problemOf(request) : problemOfKeyed(request);
    if (problem !== null) return problem;
    this.#run(key === '' ? request : { last_by_subj: key, no_hdr: request.no_hdr === true }, reply);
    return null;
  }

  #run(request: MsgGetRequest, reply: DirectReply): void {
    const stream = this.#stream;
    if ((request.multi_last ?? []).length > 0) {
      sendMulti(stream, request, reply);
    } else if ((request.batch ?? 0) !== 0) {
      // Behind what is on its way to the disk: the batch then finds it committed.
      stream.commits.after(() => sendBatch(stream, request, reply));
    } else {
      readOne(stream, request, (found, error) => {
        if (error !== null) reply.status(`500 ${error.message}`);
        else if (found === null) reply.status('404 Message Not Found');
        else reply.message(found, request.no_hdr === true, null);
      });
    }
  }
}

/** Unknown fields are ignored here whatever the server's strictness. */
function decode(body: Buffer): MsgGetRequest | null {
  try {
    return decodeJson(body, MSG_GET_REQUEST, { strict: false });
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

function problemOf(request: MsgGetRequest): string | null {
  const { seq = 0, last_by_subj: last = '', next_by_subj: next = '', batch = 0, up_to_seq: upTo = 0 } = request;
  const hasMulti = (request.multi_last ?? []).length > 0;
  if (seq === 0 && last === '' && next === '' && !hasMulti && request.start_time === undefined) {
    return '408 Empty Request';
  }
  const isBad =
    isContradictory(request) ||
    (last !== '' && (batch > 0 || hasMulti)) ||
    (next !== '' && hasMulti) ||
    (upTo > 0 && request.up_to_time !== undefined);
  return isBad ? '408 Bad Request' : null;
}

/** With the subject in the request's subject, the body may only say no_hdr. */
function problemOfKeyed(request: MsgGetRequest): string | null {
  const isBad =
    (request.last_by_subj ?? '') !== '' ||
    (request.next_by_subj ?? '') !== '' ||
    (request.multi_last ?? []).length > 0 ||
    (request.seq ?? 0) !== 0 ||
    (request.batch ?? 0) !== 0 ||
    request.start_time !== undefined ||
    (request.up_to_seq ?? 0) !== 0 ||
    request.up_to_time !== undefined;
  return isBad ? '408 Bad Request' : null;
}
