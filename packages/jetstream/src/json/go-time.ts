import type { Timestamp } from '../store/store.ts';

/** What nats-server prints for a time that is not set. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const LAYOUT = '2006-01-02T15:04:05Z07:00';
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:(Z)|([+-])(\d\d):(\d\d))$/;

/** A time as read from JSON: the instant, and Go's normal form of the text (its zone kept). */
export interface ParsedTime extends Timestamp {
  readonly text: string;
}

/** `2026-01-02T03:04:05.123456789Z`: RFC 3339 in UTC, zeros at the end of the fraction cut off, as Go's RFC3339Nano. */
export function formatTime(ms: number, ns: number): string {
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return `${seconds}${fraction((((ms % 1000) + 1000) % 1000) * 1_000_000 + ns)}Z`;
}

/** The same for a time that may be missing. */
export function formatTimestamp(time: Timestamp | null): string {
  return time === null ? ZERO_TIME : formatTime(time.ms, time.ns);
}

/** Parses RFC 3339 as Go's time.Time.UnmarshalJSON. Throws an Error with Go's text. */
export function parseTime(text: string): ParsedTime {
  const match = RFC3339.exec(text);
  if (match === null) throw new Error(mismatch(text));
  const [, year, month, day, hour, minute, second, digits, utc, sign, zoneHour, zoneMinute] = match;
  const problem = rangeProblem(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
  if (problem !== null) throw new Error(`parsing time ${JSON.stringify(text)}: ${problem}`);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const nanos = Number((digits ?? '').slice(0, 9).padEnd(9, '0'));
  const zoneMs = utc === 'Z' ? 0 : (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === '-' ? -1 : 1);
  const zone = zoneMs === 0 ? 'Z' : `${sign}${zoneHour}:${zoneMinute}`;
  const wholeMs = Math.floor(nanos / 1_000_000);
  return {
    ms: date.getTime() - zoneMs + wholeMs,
    ns: nanos - wholeMs * 1_000_000,
    text: `${text.slice(0, 19)}${fraction(nanos)}${zone}`,
  };
}

/** `.5` for 500 000 000 nanoseconds, nothing for 0. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  return `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}

function rangeProblem(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): string | null {
  if (month < 1 || month > 12) return 'month out of range';
  const days = new Date(Date.UTC(year < 100 ? year + 400 : year, month, 0)).getUTCDate();
  if (day < 1 || day > days) return 'day out of range';
  if (hour > 23) return 'hour out of range';
  if (minute > 59) return 'minute out of range';
  return second > 59 ? 'second out of range' : null;
}

const PIECES: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d\d/, '01'],
  [/^-/, '-'],
  [/^\d\d/, '02'],
  [/^T/, 'T'],
  [/^\d\d/, '15'],
  [/^:/, ':'],
  [/^\d\d/, '04'],
  [/^:/, ':'],
  [/^\d\d([.,]\d+)?/, '05'],
  [/^(Z|[+-]\d\d:\d\d)/, 'Z07:00'],
];

/** Go's words for a text that is no RFC 3339: which piece of the layout could not be read from what. */
function mismatch(text: string): string {
  let rest = text;
  for (const [pattern, piece] of PIECES) {
    const found = pattern.exec(rest);
    if (found === null) {
      const quoted = JSON.stringify(text);
      return `parsing time ${quoted} as ${JSON.stringify(LAYOUT)}: cannot parse ${JSON.stringify(rest)} as "${piece}"`;
    }
    rest = rest.slice(found[0].length);
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}
