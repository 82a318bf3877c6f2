/**
 * Sublist with up to a million subscriptions. Run:
 *   node --expose-gc --conditions=@nats-ts/source packages/sublist/bench/sublist.ts [subscriptions]
 */
import { Sublist } from '../src/index.ts';
import { eachCall, flat, heapBytes, nanosPerCall, nuid, report } from './measure.ts';

const MILLION = Number(process.argv[2] ?? 1_000_000);

interface Subscription {
  readonly sid: number;
}

const SHAPES: readonly { name: string; pattern: (index: number) => string; literal: (index: number) => string }[] = [
  { name: 'literal device.<id>.state', pattern: (i) => `device.${i}.state`, literal: (i) => `device.${i}.state` },
  { name: 'inbox _INBOX.<nuid>.*', pattern: (i) => `_INBOX.${nuid(i)}.*`, literal: (i) => `_INBOX.${nuid(i)}.aB3dE7` },
  {
    name: 'tail tenant.<id>.events.>',
    pattern: (i) => `tenant.${i}.events.>`,
    literal: (i) => `tenant.${i}.events.a.b`,
  },
];

function run(shape: (typeof SHAPES)[number], size: number): void {
  const subjects = Array.from({ length: size }, (_, index) => flat(shape.pattern(index)));
  const values: Subscription[] = subjects.map((_, sid) => ({ sid }));
  const before = heapBytes();
  const list = new Sublist<Subscription>();
  const insert = eachCall(size, (index) => list.insert(subjects[index]!, null, values[index]!));
  const bytes = heapBytes() - before;
  const hot = Array.from({ length: 1000 }, (_, index) => flat(shape.literal((index * 613) % size)));
  let sink = 0;
  const hit = nanosPerCall(1_000_000, (index) => (sink += list.match(hot[index % 1000]!).plain.length));
  const cold = Array.from({ length: 200_000 }, (_, index) => flat(shape.literal((index * 7919) % size)));
  const uncached = new Sublist<Subscription>({ cacheMax: 0 });
  for (let index = 0; index < size; index++) uncached.insert(subjects[index]!, null, values[index]!);
  const miss = nanosPerCall(200_000, (index) => (sink += uncached.match(cold[index]!).plain.length), 3);
  const remove = eachCall(size, (index) => list.remove(subjects[index]!, null, values[index]!));
  report(`${shape.name} × ${size}`, {
    'insert ns': insert.meanNs,
    'longest ms': insert.longestMs,
    'bytes/sub': bytes / size,
    'hit ns': hit,
    'miss ns': miss,
    'remove ns': remove.meanNs,
    left: list.nodeCount,
  });
  if (sink === 0 || list.nodeCount !== 0) throw new Error('the bench measured nothing');
}

/** Hits on hot subjects while request inboxes come and go. */
function churn(pattern: (index: number) => string, name: string): void {
  const list = new Sublist<number>();
  for (let index = 0; index < 10_000; index++) list.insert(`orders.${index}.*`, null, index);
  const hot = Array.from({ length: 64 }, (_, index) => `orders.${index}.new`);
  for (const subject of hot) list.match(subject);
  const before = list.stats();
  const ns = nanosPerCall(200_000, (index) => {
    const inbox = pattern(index);
    list.insert(inbox, null, 1);
    list.match(hot[index % 64]!);
    list.match(hot[(index * 7) % 64]!);
    list.remove(inbox, null, 1);
  });
  const after = list.stats();
  const rate = (after.cacheHits - before.cacheHits) / (after.numMatches - before.numMatches);
  report(`churn of ${name}, 2 matches per request`, { 'ns/request': ns, 'hit rate %': rate * 100 });
}

for (const shape of SHAPES) {
  run(shape, 1000);
  run(shape, MILLION);
}
churn((index) => `_INBOX.${index}`, 'literal inboxes');
churn((index) => `_INBOX.${index}.*`, 'wildcard inboxes');
