import { status } from '@grpc/grpc-js';
import { RegistryError } from '@nats-ts/kv-registry';

const HTTP_CODES: Readonly<Record<number, readonly [code: number, text: string]>> = {
  [status.INVALID_ARGUMENT]: [400, 'Bad Request'],
  [status.NOT_FOUND]: [404, 'Not Found'],
  [status.RESOURCE_EXHAUSTED]: [429, 'Too Many Requests'],
  [status.INTERNAL]: [500, 'Internal Server Error'],
  [status.UNAVAILABLE]: [503, 'Service Unavailable'],
};

/** A failed call: its gRPC status, and as details the JSON that go-micro's clients read the code from. */
export class CallError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, detail: string) {
    super(detail);
    const [http, text] = HTTP_CODES[code] ?? [500, 'Internal Server Error'];
    this.code = code;
    this.details = JSON.stringify({ id: 'go.micro.registry', code: http, detail, status: text });
  }

  static from(error: unknown): CallError {
    if (error instanceof CallError) return error;
    const text = error instanceof Error ? error.message : String(error);
    return new CallError(error instanceof RegistryError ? CODES[error.code] : status.INTERNAL, text);
  }
}

const CODES: Readonly<Record<RegistryError['code'], status>> = {
  invalid: status.INVALID_ARGUMENT,
  malformed: status.INTERNAL,
  limit: status.RESOURCE_EXHAUSTED,
  closed: status.UNAVAILABLE,
  unavailable: status.UNAVAILABLE,
};
