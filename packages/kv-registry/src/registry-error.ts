/** What went wrong: the caller's service, the stored record, a limit, a registry that was closed, a server that does not answer. */
export type RegistryErrorCode = 'invalid' | 'malformed' | 'limit' | 'closed' | 'unavailable';

/** Thrown by this package. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
