import { apiError } from '../errors/api-error.ts';
import type { Stream } from '../stream/stream.ts';
import type { ApiCall } from './api-call.ts';

/**
 * Has a call answered when everything applied to the stream so far is durable, and with 10077 when it never will be. Its handler does not
 * wait for that: requests behind it go on and share the sync.
 */
export function whenDurable(call: ApiCall, stream: Stream, answer: () => void): void {
  stream.commits.after((error) => {
    if (error === null) answer();
    else call.fail(apiError('StreamStoreFailed', { err: error.message }));
  });
}
