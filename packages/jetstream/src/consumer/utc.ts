import { formatTime, parseTime, ZERO_TIME } from '../json/go-time.ts';

/** An RFC 3339 time in UTC; '' for none and for Go's zero time. */
export function toUtc(time: string): string {
  if (time === '') return '';
  const { ms, ns } = parseTime(time);
  const utc = formatTime(ms, ns);
  return utc === ZERO_TIME ? '' : utc;
}
