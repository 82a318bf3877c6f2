import { describe, expect, it } from 'vitest';
import { MULTI_LAST_MAX } from '../../src/stream/direct-batch.ts';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { ManualStorage } from './manual-storage.ts';

async function open(): Promise<{ harness: Harness; storage: ManualStorage }> {
  const storage = new ManualStorage();
  storage.isInstant = true;
  const harness = await Harness.open({}, storage);
  await harness.create({ name: 'S', subjects: ['s.>'], allow_direct: true });
  return { harness, storage };
}

/** All answers to one request, as header and payload. */
async function answers(harness: Harness, body: object): Promise<string[]> {
  const inbox = harness.account.inbox('R');
  harness.account.publish('$JS.API.DIRECT.GET.S', JSON.stringify(body), { reply: 'R' });
  await turns(20);
  return inbox.map(({ header, payload }) => header + payload);
}

describe('direct get', () => {
  it('reads messages whose block is not in memory', async () => {
    const { harness, storage } = await open();
    for (const payload of ['1', '2', '3']) await harness.ask('s.a', payload);
    const { cold } = storage.stream('S');
    cold.add(1);
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1,"no_hdr":true}')).toBe('1');
    expect(cold.size).toBe(0);
  });

  it('refuses more than 1024 subjects at once', async () => {
    const { harness } = await open();
    for (let i = 0; i < MULTI_LAST_MAX; i++) harness.account.publish(`s.${i}`);
    await turns();
    expect(await answers(harness, { multi_last: ['s.>'] })).toHaveLength(MULTI_LAST_MAX + 1);
    harness.account.publish('s.more');
    await turns();
    expect(await answers(harness, { multi_last: ['s.>'] })).toEqual(['NATS/1.0 413 Too Many Results\r\n\r\n']);
  });

  it('sends a large batch over several turns and stops when nobody is there any more', async () => {
    const { harness } = await open();
    for (let i = 0; i < 2_000; i++) harness.account.publish('s.a');
    await turns();
    expect(await answers(harness, { seq: 1, batch: 1_500 })).toHaveLength(1_501);
    let received = 0;
    const subscription = harness.account.listen('Q', () => {
      received++;
      if (received === 10) subscription.close();
    });
    const before = harness.account.sent.length;
    harness.account.publish('$JS.API.DIRECT.GET.S', '{"seq":1,"batch":1500}', { reply: 'Q' });
    await turns(20);
    expect([received, harness.account.sent.length - before]).toEqual([10, 11]);
  });

  it('does nothing without a reply', async () => {
    const { harness } = await open();
    const before = harness.account.sent.length;
    harness.account.publish('$JS.API.DIRECT.GET.S', '{"seq":1}');
    await turns();
    expect(harness.account.sent.length).toBe(before);
  });
});
