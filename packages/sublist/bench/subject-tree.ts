/**
 * SubjectTree with a million subjects. Run:
 *   node --expose-gc --conditions=@nats-ts/source packages/sublist/bench/subject-tree.ts [subjects]
 */
import { SubjectTree } from '../src/index.ts';
import { eachCall, flat, heapBytes, nanosPerCall, nuid, report } from './measure.ts';

const MILLION = Number(process.argv[2] ?? 1_000_000);

interface State {
  count: number;
  first: number;
  last: number;
}

const SHAPES: readonly { name: string; subject: (index: number) => string; narrow: string }[] = [
  {
    name: '$KV.bucket.<nuid>.<n>',
    subject: (i) => `$KV.bucket.${nuid(i % 50_000)}.${i}`,
    narrow: `$KV.bucket.${nuid(7)}.*`,
  },
  { name: '$KV.bucket.<nuid>', subject: (i) => `$KV.bucket.${nuid(i)}`, narrow: `$KV.bucket.${nuid(7)}.>` },
  { name: 'sensors.<id>.temperature', subject: (i) => `sensors.${i}.temperature`, narrow: 'sensors.777.*' },
  { name: 'orders.<region>.<id>.<state>', subject: (i) => `orders.r${i % 20}.${i}.s${i % 3}`, narrow: 'orders.r7.7.*' },
];

/** The same in a Map of full subjects, for comparison. */
function inMap(shape: (typeof SHAPES)[number]): { bytes: number; getNs: number } {
  const before = heapBytes();
  const map = new Map<string, State>();
  for (let index = 0; index < MILLION; index++)
    map.set(flat(shape.subject(index)), { count: 1, first: index, last: index });
  const bytes = heapBytes() - before;
  const some = Array.from({ length: 100_000 }, (_, index) => flat(shape.subject((index * 7919) % MILLION)));
  let sink = 0;
  const getNs = nanosPerCall(some.length, (index) => (sink += map.get(some[index]!)!.count));
  return sink === 0 ? { bytes: 0, getNs: 0 } : { bytes, getNs };
}

for (const shape of SHAPES) {
  const map = inMap(shape);
  const before = heapBytes();
  const tree = new SubjectTree<State>();
  const set = eachCall(MILLION, (index) =>
    tree.set(flat(shape.subject(index)), { count: 1, first: index, last: index }),
  );
  const bytes = heapBytes() - before;
  const some = Array.from({ length: 100_000 }, (_, index) => flat(shape.subject((index * 7919) % MILLION)));
  let sink = 0;
  const get = nanosPerCall(some.length, (index) => (sink += tree.get(some[index]!)!.count));
  const same = nanosPerCall(1_000_000, () => (sink += tree.get(some[0]!)!.count));
  const narrow = nanosPerCall(20_000, () => {
    tree.match(shape.narrow, (_, state) => {
      sink += state.count;
      return true;
    });
  });
  const all = nanosPerCall(
    1,
    () => {
      tree.each((_, state) => {
        sink += state.count;
        return true;
      });
    },
    3,
  );
  report(`${shape.name} × ${MILLION}`, {
    'set ns': set.meanNs,
    'longest ms': set.longestMs,
    'bytes/subject': bytes / MILLION,
    'in a Map': map.bytes / MILLION,
    'get ns': get,
    'in a Map ns': map.getNs,
    'same again ns': same,
    [`match ${shape.narrow.length > 30 ? `${shape.narrow.slice(0, 12)}…` : shape.narrow} ns`]: narrow,
    'each ns/subject': all / MILLION,
  });
  if (sink === 0) throw new Error('the bench measured nothing');
}
