import { expect, it } from 'vitest';
import { encodeRecord, formatKey, INSTANCES_MAX, type RecordKey } from '../src/index.ts';
import { InstanceTracker } from '../src/watcher.ts';
import { ManualClock } from './support/manual-clock.ts';

it('follows so many instances and no more, until one of them goes', () => {
  let created = 0;
  const tracker = new InstanceTracker(
    new ManualClock(),
    () => 0,
    ({ action }) => {
      if (action === 'create') created++;
    },
  );
  const keyOf = (n: number): RecordKey => ({ name: 'web', id: `${n}`, version: '1' });
  const value = encodeRecord(keyOf(0), { name: 'web', version: '1', metadata: {}, endpoints: [], nodes: [] });
  const put = (n: number): void => tracker.handle({ kind: 'put', key: formatKey(keyOf(n)), value });
  for (let n = 0; n <= INSTANCES_MAX; n++) put(n);
  expect(created).toBe(INSTANCES_MAX);
  tracker.handle({ kind: 'delete', key: formatKey(keyOf(7)), value });
  put(INSTANCES_MAX);
  expect(created).toBe(INSTANCES_MAX + 1);
  tracker.stop();
});
