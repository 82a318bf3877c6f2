import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** What tells one process from every other, as far as the machine lets us see. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's own count; '' where the machine does not tell. */
  readonly start: string;
  /** Which boot of which machine. */
  readonly boot: string;
  /** Within which pids are unique: containers have their own. */
  readonly pidNamespace: string;
}

/** Identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    start: (await startOf(process.pid)) ?? '',
    boot: (await textOf('/proc/sys/kernel/random/boot_id')) ?? hostname(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
  };
}

/**
 * Whether the process that `other` names is running, seen from `own`. `unknown` when it lives where we cannot look: in another
 * container, on another machine, before a reboot.
 */
export async function stateOf(other: ProcessIdentity, own: ProcessIdentity): Promise<'alive' | 'dead' | 'unknown'> {
  if (other.boot !== own.boot || other.pidNamespace !== own.pidNamespace) return 'unknown';
  if (!exists(other.pid)) return 'dead';
  const start = await startOf(other.pid);
  // Another user's process may be hidden, and outside of Linux there is no start time: it exists, and that is all we know.
  if (start === null || other.start === '') return 'alive';
  return start === other.start ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start time of a process, `ended` for one that nobody has waited for yet, null if it cannot be read. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field, the program's name in parentheses, may hold anything. State is field 3, start field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? null);
}

async function textOf(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}
