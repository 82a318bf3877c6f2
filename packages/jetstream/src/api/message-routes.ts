import { type ApiError, apiError } from '../errors/api-error.ts';
import { formatTime } from '../json/go-time.ts';
import { objectSchema } from '../json/schema.ts';
import {
  type CopiedMessage,
  isContradictory,
  MSG_GET_REQUEST,
  type MsgGetRequest,
  readOne,
} from '../stream/reading.ts';
import type { Stream } from '../stream/stream.ts';
import type { ApiRoute, ApiRoutes } from './routes.ts';
import { whenDurable } from './when-durable.ts';

const MSG_DELETE_REQUEST = objectSchema('JSApiMsgDeleteRequest', { seq: 'sequence', no_erase: 'bool' });

interface MsgDeleteRequest {
  seq?: number;
  no_erase?: boolean;
}

const get: ApiRoute = {
  type: 'stream_msg_get_response',
  queue: 'main',
  handle(call, account) {
    if (call.isEmptyRequest) throw apiError('BadRequest');
    const request = call.decode(MSG_GET_REQUEST) as MsgGetRequest;
    const { seq = 0, last_by_subj: last = '', next_by_subj: next = '', batch = 0, max_bytes: bytes = 0 } = request;
    if (batch > 0 || bytes > 0 || isContradictory(request)) throw apiError('BadRequest');
    if (seq === 0 && last === '' && next === '' && request.start_time === undefined) throw apiError('BadRequest');
    readOne(account.stream(call.tokens[3]!), request, (message, error) => {
      if (error !== null) call.fail(apiError('StreamStoreFailed', { err: error.message }));
      else if (message === null) call.fail(apiError('NoMessageFound'));
      else call.respond({ message: shownMessage(message, request.no_hdr === true) });
    });
  },
};

const remove: ApiRoute = {
  type: 'stream_msg_delete_response',
  queue: 'main',
  handle(call, account) {
    if (call.isEmptyRequest) throw apiError('BadRequest');
    const request = call.decode(MSG_DELETE_REQUEST) as MsgDeleteRequest;
    const stream = account.stream(call.tokens[3]!);
    if (stream.config.sealed) throw apiError('StreamSealed');
    if (stream.config.deny_delete) throw apiError('StreamMsgDeleteFailed', { err: 'message delete not permitted' });
    if (stream.failure !== null) throw apiError('StreamStoreFailed', { err: stream.failure.message });
    const seq = request.seq ?? 0;
    const missing = removed(stream, seq, request.no_erase !== true) ? null : missingMessage(stream, seq);
    // Whatever removed a missing one may be on its way to the disk.
    whenDurable(call, stream, () => {
      if (missing === null) call.respond({ success: true });
      // nats-server counts these as answered, not as failed.
      else call.fail(missing, false);
    });
  },
};

/** False if there is no such message. Throws 10077 when the disk would not have it. */
function removed(stream: Stream, seq: number, erase: boolean): boolean {
  try {
    return stream.removeOrThrow(seq, 'user', erase);
  } catch (error) {
    throw apiError('StreamStoreFailed', { err: error instanceof Error ? error.message : String(error) });
  }
}

/** Why a message cannot be deleted that is not there: the stores of nats-server differ in what they say. */
function missingMessage(stream: Stream, seq: number): ApiError {
  const { firstSeq, lastSeq } = stream.messages;
  if (stream.config.storage === 'file') {
    if (seq > lastSeq) return apiError('StreamMsgDeleteFailed', { err: 'stream store EOF' });
    if (seq < firstSeq || seq === 0) return apiError('StreamMsgDeleteFailed', { err: 'no message found' });
  }
  return apiError('SequenceNotFound', { seq });
}

/** Header and payload in base64, left out when empty. */
function shownMessage(message: CopiedMessage, noHeaders: boolean): Record<string, unknown> {
  const { subject, seq, header, payload, timeMs, timeNs } = message;
  return {
    subject,
    seq,
    hdrs: noHeaders || header.length === 0 ? undefined : header.toString('base64'),
    data: payload.length === 0 ? undefined : payload.toString('base64'),
    time: formatTime(timeMs, timeNs),
  };
}

export const MESSAGE_ROUTES: ApiRoutes = {
  'STREAM.MSG.GET.*': get,
  'STREAM.MSG.DELETE.*': remove,
};
