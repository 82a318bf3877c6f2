const NS_PER_US = 1000;
const NS_PER_MS = 1_000_000;
const NS_PER_S = 1_000_000_000;

/** A duration as Go prints it: `0s`, `312ns`, `1.5µs`, `2.25ms`, `1m30s`. */
export function goDuration(ns: number): string {
  const rounded = Math.round(ns);
  if (rounded < 0) return `-${goDuration(-rounded)}`;
  if (rounded === 0) return '0s';
  if (rounded < NS_PER_US) return `${rounded}ns`;
  if (rounded < NS_PER_MS) return `${decimal(rounded, NS_PER_US, 3)}µs`;
  if (rounded < NS_PER_S) return `${decimal(rounded, NS_PER_MS, 6)}ms`;
  const minutes = Math.floor(rounded / (60 * NS_PER_S));
  const seconds = `${decimal(rounded - minutes * 60 * NS_PER_S, NS_PER_S, 9)}s`;
  if (minutes === 0) return seconds;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`;
}

/** As `goDuration`, from milliseconds. */
export function goDurationOfMs(ms: number): string {
  return goDuration(ms * NS_PER_MS);
}

function decimal(value: number, unit: number, digits: number): string {
  const fraction = (value % unit).toString().padStart(digits, '0').replace(/0+$/, '');
  const whole = Math.floor(value / unit).toString();
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** A moment as Go writes it into JSON (RFC3339Nano, UTC): no trailing zeros in the fraction. */
export function goTime(epochMs: number): string {
  const text = new Date(epochMs).toISOString();
  return text.replace(/\.?0+Z$/, 'Z').replace(/:Z$/, ':00Z');
}

/** Time since a start as nats-server's monitoring shows it: `5s`, `4m3s`, `1h2m3s`, `2d3h4m5s`, `1y2d3h4m5s`. */
export function uptime(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = `${total % 60}s`;
  const minutes = Math.floor(total / 60);
  if (minutes === 0) return seconds;
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes}m${seconds}`;
  const days = Math.floor(hours / 24);
  if (days === 0) return `${hours}h${minutes % 60}m${seconds}`;
  const years = Math.floor(days / 365);
  const rest = `${days % 365}d${hours % 24}h${minutes % 60}m${seconds}`;
  return years === 0 ? rest : `${years}y${rest}`;
}
