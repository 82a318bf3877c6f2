/** Longest name of an account, stream or consumer, bytes: what a directory entry takes. */
export const NAME_BYTES_MAX = 255;

/**
 * Refuses a name that could not be one directory entry of its own: empty, too long, `.`-led (those are deletions in
 * progress), or with a separator, a NUL or anything else that leads out of the directory. Names reach the store
 * validated by the API; this is the last line before the file system.
 */
export function checkAssetName(kind: 'account' | 'stream' | 'consumer', name: string): void {
  const problem = problemOf(name);
  if (problem !== null) throw new Error(`${kind} name ${JSON.stringify(name)} cannot be stored: ${problem}`);
}

/** True if `checkAssetName` accepts the name. */
export function isAssetName(name: string): boolean {
  return problemOf(name) === null;
}

function problemOf(name: string): string | null {
  if (name === '') return 'it is empty';
  if (name.startsWith('.')) return 'it starts with "."';
  if (/[/\\\0]/.test(name)) return 'it contains "/", "\\" or NUL';
  // A lone surrogate stands for a byte that is not UTF-8; the file system would store something else.
  if (!name.isWellFormed()) return 'it is not valid UTF-8';
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `it is longer than ${NAME_BYTES_MAX} bytes`;
  return null;
}
