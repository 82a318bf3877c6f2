/** What is shown instead of a secret that is set. */
export const MASK = '***';

/** An address or URL fit to be shown to anybody: what stands before its `@`, and the values of its query, are masked. */
export function maskAddress(address: string): string {
  return (
    address
      // To the last @: a password that is not encoded may hold one, and slashes.
      .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, (_, scheme: string = '') => `${scheme}${MASK}@`)
      .replace(/([?&][^=&#]*=)[^&#]*/g, `$1${MASK}`)
  );
}
