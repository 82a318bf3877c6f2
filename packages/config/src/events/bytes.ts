const UNITS = ['', 'k', 'm', 'g', 't'];

/** Reads `1073741824`, `512MiB`, `10GB`: every unit is a power of 1024, as in nats-server's file. Null if it is none. */
export function parseBytes(text: string): number | null {
  const match = /^\s*(\d+)\s*(?:([kmgt])i?b)?\s*$/i.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? '').toLowerCase());
  return Number.isSafeInteger(bytes) ? bytes : null;
}
