/** Thrown by the constructor of NatsServer: which option, what is wrong, what was expected. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}
