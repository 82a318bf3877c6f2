import { timingSafeEqual } from 'node:crypto';
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

/** Probes cannot send a token. */
const OPEN = '/grpc.health.v1.Health/';

/** Has every call show `authorization: Bearer <token>`, except those of the health service. */
export function tokenCheck(token: string): ServerInterceptor {
  const expected = Buffer.from(`Bearer ${token}`);
  const isRight = (value: unknown): boolean => {
    const given = Buffer.from(String(value ?? ''));
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (method.path.startsWith(OPEN) || isRight(metadata.get('authorization')[0])) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: 'invalid or missing token' });
          },
        }),
    });
}
