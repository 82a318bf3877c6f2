import type { QueueMatch } from './matches.ts';
import type { Subscribers } from './members.ts';

const NOBODY: readonly never[] = [];

/** All plain subscribers of the given patterns, in an array of their own. */
export function collectPlain<T>(found: readonly Subscribers<T>[]): readonly T[] {
  let only: readonly T[] | null = null;
  let several: T[] | null = null;
  for (const { plain } of found) {
    if (plain === null) continue;
    if (only === null) {
      only = plain.items;
    } else {
      several ??= only.slice();
      for (const value of plain.items) several.push(value);
    }
  }
  return several ?? only?.slice() ?? NOBODY;
}

/** All queue groups of the given patterns; groups of the same name become one. */
export function collectQueues<T>(found: readonly Subscribers<T>[]): readonly QueueMatch<T>[] {
  let groups: Map<string, T[]> | null = null;
  for (const { queues } of found) {
    if (queues === null) continue;
    groups ??= new Map();
    for (const [queue, members] of queues) {
      const group = groups.get(queue);
      if (group === undefined) groups.set(queue, members.items.slice());
      else for (const value of members.items) group.push(value);
    }
  }
  if (groups === null) return NOBODY;
  return Array.from(groups, ([queue, members]) => ({ queue, members }));
}
