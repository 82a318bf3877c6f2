import { subjectByteLength } from '@nats-ts/protocol';
import { type ApiError, apiError } from '../errors/api-error.ts';
import type { HostMessage } from '../host.ts';
import { RECORD_BYTES_MAX } from '../store/shared/limits.ts';
import { discardNewProblem, enforceAfterStore, storedBytes } from './limits.ts';
import type { Republish } from './outbox.ts';
import { checkAfterDedupe, checkBeforeDedupe } from './publish-checks.ts';
import { cleanedBlock, PublishHeaders } from './publish-headers.ts';
import type { Stream } from './stream.ts';
import { lastSeqOf } from './subject-lookup.ts';

/** Longest header block a stream takes, bytes. */
const HEADER_BYTES_MAX = 65_535;
/** Reply subjects of the fast batch protocol end like this. */
const FAST_BATCH_SUFFIX = '.$FI';
const TOO_MANY_REQUESTS = Buffer.from('NATS/1.0 429 Too Many Requests\r\n\r\n');

/**
 * Takes published messages into a stream: the checks of spec/jetstream.md 3.2 in the order of 2.15.1, then the store, then the limits. The
 * whole of it runs in the publisher's turn, without an object or a promise per plain message; the ack leaves through the outbox.
 */
export class Ingest {
  readonly #stream: Stream;
  readonly #headers = new PublishHeaders();
  /** Called by the host for every message on the stream's subjects. */
  readonly receive: (message: HostMessage) => boolean;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.receive = (message) => this.#receive(message);
  }

  #receive(message: HostMessage): boolean {
    const stream = this.#stream;
    if (stream.isClosed) return false;
    const { transform } = stream;
    const { commits } = stream;
    if (commits.isBehind) {
      commits.hold(message);
      if (commits.isFull) {
        this.#refuseFlood(message.reply);
        return true;
      }
    }
    const reply = stream.config.no_ack ? null : message.reply;
    const subject = transform === null ? message.subject : (transform.apply(message.subject) ?? message.subject);
    const { buffer, headerStart, payloadStart, payloadEnd } = message;
    if (headerStart === payloadStart) {
      this.#take(subject, reply, buffer, 0, 0, buffer, payloadStart, payloadEnd, null);
      return true;
    }
    const headers = this.#headers;
    headers.read(buffer, headerStart, payloadStart);
    if (headers.hasStatus || headers.hasRequestInfo) {
      const block = cleanedBlock(buffer, headerStart, payloadStart);
      this.#take(subject, reply, block ?? buffer, 0, block?.length ?? 0, buffer, payloadStart, payloadEnd, headers);
    } else {
      this.#take(subject, reply, buffer, headerStart, payloadStart, buffer, payloadStart, payloadEnd, headers);
    }
    return true;
  }

  /** @param headers null = the message has none. */
  #take(
    subject: string,
    reply: string | null,
    block: Buffer,
    blockStart: number,
    blockEnd: number,
    buffer: Buffer,
    payloadStart: number,
    payloadEnd: number,
    headers: PublishHeaders | null,
  ): void {
    const stream = this.#stream;
    const blockBytes = blockEnd - blockStart;
    const payloadBytes = payloadEnd - payloadStart;
    stream.stamp.take();
    let problem = this.#checkStream(subject, reply, blockBytes, payloadBytes);
    if (problem === null && headers !== null) {
      problem = this.#checkBatch(subject, blockBytes, payloadBytes, headers);
      problem ??= checkBeforeDedupe(stream, headers, subject);
      if (problem === null && this.#isDuplicate(headers.msgId, reply)) return;
      problem ??= checkAfterDedupe(stream, headers);
    }
    if (problem === null && stream.budget.exceedsServer) problem = apiError('InsufficientResources');
    if (problem === null && stream.config.retention === 'interest' && !stream.registry.hasInterest(subject)) {
      this.#skip(subject, reply, headers);
      return;
    }
    problem ??= this.#checkRoom(subject, blockBytes, payloadBytes, headers);
    if (problem === null) {
      problem = this.#store(subject, reply, block, blockStart, blockEnd, buffer, payloadStart, payloadEnd, headers);
    }
    if (problem === null) return;
    const { observer, account, name } = stream;
    if (observer !== null) {
      observer.refused(
        account.name,
        name,
        problem,
        subject,
        block,
        blockStart,
        blockEnd,
        buffer,
        payloadStart,
        payloadEnd,
      );
    }
    this.#refuse(reply, problem);
  }

  /** Checks that need no header. */
  #checkStream(subject: string, reply: string | null, blockBytes: number, payloadBytes: number): ApiError | null {
    const { config, failure } = this.#stream;
    // Characters are fewer than bytes: the exact size is only asked for when it may matter.
    if (subject.length + blockBytes + payloadBytes > RECORD_BYTES_MAX / 2) {
      const bytes = storedBytes('file', subjectByteLength(subject), blockBytes, payloadBytes);
      if (bytes > RECORD_BYTES_MAX) return storeFailed('message too large');
    }
    if (config.sealed) return apiError('StreamSealed');
    // nats-server 2.15.1 asks for the size before anything in the headers.
    if (config.max_msg_size >= 0 && blockBytes + payloadBytes > config.max_msg_size) {
      return apiError('StreamMessageExceedsMaximum');
    }
    if (blockBytes > HEADER_BYTES_MAX) return apiError('StreamHeaderExceedsMaximum');
    if (reply?.endsWith(FAST_BATCH_SUFFIX)) return apiError('BatchPublishDisabled');
    return failure === null ? null : storeFailed(failure.message);
  }

  /** Atomic batches are not there yet; their limits are asked for before that is said. */
  #checkBatch(subject: string, blockBytes: number, payloadBytes: number, headers: PublishHeaders): ApiError | null {
    if (headers.batchId === '') return null;
    const { config, budget } = this.#stream;
    if (budget.exceedsServer) return apiError('InsufficientResources');
    const bytes = storedBytes(config.storage, subjectByteLength(subject), blockBytes, payloadBytes);
    return apiError(budget.exceedsAccount(bytes) ? 'AccountResourcesExceeded' : 'AtomicPublishDisabled');
  }

  /** True if the id came before; the answer is the first one's sequence. */
  #isDuplicate(msgId: string, reply: string | null): boolean {
    if (msgId === '') return false;
    const { dedupe, stamp, commits, messages } = this.#stream;
    const seq = dedupe.find(msgId, stamp.ms);
    if (seq === 0) return false;
    if (reply !== null) {
      // In turn: the original may still wait for its commit.
      commits.outbox.pushDuplicate(messages.applied, seq, reply);
      commits.releaseIfIdle();
    }
    return true;
  }

  #checkRoom(
    subject: string,
    blockBytes: number,
    payloadBytes: number,
    headers: PublishHeaders | null,
  ): ApiError | null {
    const stream = this.#stream;
    const { config, budget } = stream;
    const isCounted = budget.hasAccountLimit || config.discard === 'new';
    const bytes = isCounted ? storedBytes(config.storage, subjectByteLength(subject), blockBytes, payloadBytes) : 0;
    if (isCounted && budget.exceedsAccount(bytes)) return apiError('AccountResourcesExceeded');
    // A valid TTL was refused before: no stream has TTLs yet.
    if (headers !== null && headers.ttl !== '') return apiError('MessageTTLInvalid');
    if (config.discard === 'old') return null;
    const problem = discardNewProblem(stream, subject, bytes, headers !== null && headers.rollup !== '');
    return problem === null ? null : storeFailed(problem);
  }

  /** Returns why the store would not have it, or null. */
  #store(
    subject: string,
    reply: string | null,
    block: Buffer,
    blockStart: number,
    blockEnd: number,
    buffer: Buffer,
    payloadStart: number,
    payloadEnd: number,
    headers: PublishHeaders | null,
  ): ApiError | null {
    const stream = this.#stream;
    const { republisher, stamp } = stream;
    const target = republisher === null ? null : republisher.target(subject);
    const previousSeq = target === null ? 0 : lastSeqOf(stream.messages, subject);
    let seq: number;
    try {
      seq = stream.messages.append(
        subject,
        block,
        blockStart,
        blockEnd,
        buffer,
        payloadStart,
        payloadEnd,
        stamp.ms,
        stamp.ns,
      );
    } catch (error) {
      stream.warnOnce(`JetStream failed to store a msg on stream '${stream.name}': ${String(error)}`);
      return storeFailed(error instanceof Error ? error.message : String(error));
    }
    let republish: Republish | null = null;
    if (target !== null) {
      const header = block.subarray(blockStart, blockEnd);
      const payload = buffer.subarray(payloadStart, payloadEnd);
      republish = republisher!.build(target, subject, seq, previousSeq, stamp.ms, stamp.ns, header, payload);
    }
    this.#remember(headers, seq);
    if (headers !== null && headers.rollup !== '') {
      // As nats-server: the limits come first, and may take what the roll-up would have made room for.
      enforceAfterStore(stream, subject);
      this.#tryRollUp(subject, headers.rollup, 1);
    }
    const bytes = blockEnd - blockStart + payloadEnd - payloadStart + subject.length + (reply?.length ?? 0);
    stream.commits.outbox.pushStored(stream.messages.applied, seq, bytes, subject, reply, republish);
    if (stream.observer !== null) {
      stream.observer.taken(
        stream.account.name,
        stream.name,
        seq,
        subject,
        block,
        blockStart,
        blockEnd,
        buffer,
        payloadStart,
        payloadEnd,
      );
    }
    enforceAfterStore(stream, subject);
    stream.expiry.messageStored();
    stream.budget.update();
    return null;
  }

  /** Nobody wants it: the sequence is used up and acknowledged, nothing is stored. */
  #skip(subject: string, reply: string | null, headers: PublishHeaders | null): void {
    const { messages, stamp, commits } = this.#stream;
    const seq = messages.skip(1, stamp.ms, stamp.ns);
    this.#remember(headers, seq);
    if (headers !== null && headers.rollup !== '') this.#tryRollUp(subject, headers.rollup, 0);
    commits.outbox.pushSkipped(messages.applied, seq, reply);
  }

  #remember(headers: PublishHeaders | null, seq: number): void {
    const stream = this.#stream;
    const msgId = headers === null ? '' : headers.msgId;
    stream.lastMsgId = msgId;
    if (msgId === '') return;
    stream.dedupe.add(msgId, seq, stream.stamp.ms);
    stream.expiry.idStored();
  }

  /** The message is stored whether or not what it replaces can be removed. */
  #tryRollUp(subject: string, rollup: string, keep: number): void {
    try {
      this.#rollUp(subject, rollup, keep);
    } catch (error) {
      this.#stream.warnOnce(`JetStream failed to roll up stream '${this.#stream.name}': ${String(error)}`);
    }
  }

  /** @param rollup `sub` or `all`; @param keep how many of the newest stay. */
  #rollUp(subject: string, rollup: string, keep: number): void {
    const stream = this.#stream;
    const { messages } = stream;
    if (rollup === 'all') {
      if (messages.messages > keep) stream.purge(null, keep === 0 ? 0 : messages.lastSeq, 0);
    } else if ((messages.subject(subject)?.count ?? 0) > keep) {
      stream.purge([subject], 0, keep);
    }
  }

  /** An error leaves in its turn, unless the store failed and nothing has a turn any more. */
  #refuse(reply: string | null, error: ApiError): void {
    if (reply === null) return;
    const { commits, messages, pubAcks } = this.#stream;
    const body = pubAcks.refusal(error);
    if (messages.failure !== null) {
      pubAcks.send(reply, null, body);
      return;
    }
    commits.outbox.pushRefusal(messages.applied, reply, body);
    commits.releaseIfIdle();
  }

  #refuseFlood(reply: string | null): void {
    const { pubAcks, name } = this.#stream;
    this.#stream.warnOnce(`Dropping messages due to excessive stream ingest rate on stream '${name}'`);
    if (reply !== null) pubAcks.send(reply, TOO_MANY_REQUESTS, pubAcks.refusal(apiError('StreamTooManyRequests')));
  }
}

/** 10077 (503) with the given text. */
function storeFailed(text: string): ApiError {
  return apiError('StreamStoreFailed', { err: text });
}
