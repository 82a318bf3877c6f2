import { describe, expect, it } from 'vitest';
import { until } from '../../../tests/src/index.ts';
import { FOLLOWED_KEYS_MAX, JetStreamBucket, LISTED_KEYS_MAX } from '../src/index.ts';
import { FakeLink, json } from './support/fake-link.ts';
import { ManualClock } from './support/manual-clock.ts';

function setUp() {
  const link = new FakeLink();
  const clock = new ManualClock();
  const errors: string[] = [];
  const bucket = new JetStreamBucket({ link, clock, onError: (error) => void errors.push((error as Error).message) });
  const seen: string[] = [];
  const watch = () => bucket.watch(({ kind, key }) => void seen.push(`${kind} ${key}`));
  const consumers = () => link.requests.filter((subject) => subject.includes('CONSUMER.CREATE')).length;
  return { link, clock, errors, bucket, seen, watch, consumers };
}

describe('a watch', () => {
  it('begins anew after a gap and reports what is no longer there', async () => {
    const { link, clock, errors, seen, watch } = setUp();
    link.initial = ['a', 'b'];
    await watch();
    link.initial = ['b', 'c'];
    link.deliver('c', 1);
    expect(errors).toEqual(['the watch of the registry begins anew: message 4 came after 2']);
    clock.advance(1_000);
    await until('it is current', () => seen.includes('delete a'));
    expect(seen).toEqual(['put a', 'put b', 'put b', 'put c', 'delete a']);
    expect(link.published).toContain('$JS.API.CONSUMER.DELETE.KV_service-registry.00000000');
  });

  it('leaves it to the time to live who is gone when the bucket was made anew', async () => {
    const { link, seen, watch } = setUp();
    link.initial = ['a', 'b'];
    await watch();
    link.created = 'second';
    link.initial = ['c'];
    link.restore();
    await until('it is current', () => seen.includes('put c'));
    expect(seen).toEqual(['put a', 'put b', 'put c']);
  });

  it('begins anew when heartbeats say that messages were lost, or stop', async () => {
    const { link, clock, watch, consumers } = setUp();
    await watch();
    link.status({ 'Nats-Last-Consumer': '0' });
    expect(consumers()).toBe(1);
    link.status({ 'Nats-Last-Consumer': '3' });
    clock.advance(200);
    await until('a second consumer', () => consumers() === 2);
    // Heartbeats every 5 s keep it; 10 s of silence do not.
    clock.advance(5_000);
    link.status({ 'Nats-Last-Consumer': '0' });
    clock.advance(9_000);
    expect(consumers()).toBe(2);
    clock.advance(2_000);
    await until('a third consumer', () => consumers() === 3);
    link.status({}, 409);
    clock.advance(1_000);
    await until('a fourth consumer', () => consumers() === 4);
  });

  it('answers flow control', async () => {
    const { link, watch } = setUp();
    await watch();
    link.status({}, 100, '$JS.FC.KV_service-registry.c.x');
    link.status({ 'Nats-Consumer-Stalled': '$JS.FC.KV_service-registry.c.y' });
    expect(link.published).toEqual(['$JS.FC.KV_service-registry.c.x', '$JS.FC.KV_service-registry.c.y']);
  });

  it('waits for a server that is away, and asks it less and less often', async () => {
    const { link, clock, errors, seen, watch } = setUp();
    link.answers.set('$JS.API.STREAM.INFO', { status: 503 });
    link.initial = ['a'];
    const watching = watch();
    for (let i = 1; i <= 10; i++) {
      await until('an attempt', () => errors.length === i);
      clock.advance(5_000);
    }
    expect(errors[0]).toBe('the NATS server has no JetStream');
    link.answers.clear();
    await until('one more attempt', () => errors.length === 11);
    clock.advance(5_000);
    await watching;
    expect(seen).toEqual(['put a']);
  });

  it('is over when it is stopped', async () => {
    const { link, seen, watch } = setUp();
    const running = await watch();
    running.stop();
    running.stop();
    link.deliver('a');
    expect(seen).toEqual([]);
  });

  it('reports keys beyond those it remembers, but not that they are gone after an outage', async () => {
    const { link, seen, watch } = setUp();
    link.initial = Array.from({ length: FOLLOWED_KEYS_MAX + 1 }, (_, i) => `k${i}`);
    await watch();
    expect(seen).toHaveLength(FOLLOWED_KEYS_MAX + 1);
    link.initial = ['new'];
    link.restore();
    await until('it is current', () => seen.at(-1)?.startsWith('delete'));
    expect(seen.filter((event) => event.startsWith('delete'))).toHaveLength(FOLLOWED_KEYS_MAX);
    expect(seen).not.toContain(`delete k${FOLLOWED_KEYS_MAX}`);
  });
});

describe('entries', () => {
  it('are listed up to a limit', async () => {
    const { link, bucket } = setUp();
    link.initial = Array.from({ length: LISTED_KEYS_MAX }, (_, i) => `k${i}`);
    expect(await bucket.keys()).toHaveLength(LISTED_KEYS_MAX);
    link.initial.push('one more');
    await expect(bucket.keys()).rejects.toThrow(`the registry has more than ${LISTED_KEYS_MAX} entries`);
  });

  it('are read without direct gets where the bucket does not allow them', async () => {
    const { link, bucket } = setUp();
    link.allowDirect = false;
    const data = Buffer.from('value').toString('base64');
    link.answers.set('$JS.API.STREAM.MSG.GET', json({ message: { data } }));
    expect(Buffer.from((await bucket.get('a')) ?? []).toString()).toBe('value');
    const hdrs = Buffer.from('NATS/1.0\r\nKV-Operation: DEL\r\n\r\n').toString('base64');
    link.answers.set('$JS.API.STREAM.MSG.GET', json({ message: { hdrs } }));
    expect(await bucket.get('a')).toBeNull();
    link.answers.set('$JS.API.STREAM.MSG.GET', json({ error: { code: 404, err_code: 10037, description: 'no' } }));
    expect(await bucket.get('a')).toBeNull();
  });

  it('fail with what JetStream answers', async () => {
    const { link, bucket } = setUp();
    const error = { code: 503, err_code: 10077, description: 'maximum bytes exceeded' };
    link.answers.set('$KV.', json({ error }));
    await expect(bucket.put('a', new Uint8Array(0))).rejects.toThrow('maximum bytes exceeded (10077)');
    link.answers.set('$KV.', { payload: Buffer.from('?') });
    await expect(bucket.put('a', new Uint8Array(0))).rejects.toThrow('JetStream answered "?", expected JSON');
    await bucket.close();
    await expect(bucket.keys()).rejects.toMatchObject({ code: 'closed' });
  });
});
