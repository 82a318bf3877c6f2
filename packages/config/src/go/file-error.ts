const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  EIO: 'input/output error',
  ENAMETOOLONG: 'file name too long',
};

/** Says why a file could not be read in the words of Go's os package: `open x.conf: no such file or directory`. */
export function fileErrorText(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EISDIR') return `read ${path}: is a directory`;
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return `open ${path}: ${reason}`;
}
