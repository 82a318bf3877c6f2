import { describe, expect, it } from 'vitest';
import type { RequestedConfig } from '../../src/consumer/config.ts';
import { failure, gist, numbers, Workbench } from './workbench.ts';

const PULL: RequestedConfig = { durable_name: 'c', ack_policy: 'explicit' };
const PUSH: RequestedConfig = { durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p', idle_heartbeat: 1e9 };

async function updateFailure(from: RequestedConfig, to: RequestedConfig): Promise<unknown> {
  const bench = await Workbench.create();
  await bench.consumer(from);
  return failure(() => bench.consumer(to));
}

describe('an update', () => {
  it.each([
    [PULL, { ...PULL, deliver_policy: 'new' }, 'deliver policy can not be updated'],
    [PULL, { ...PULL, mem_storage: true }, 'storage type can not be updated'],
    [
      { ...PULL, deliver_policy: 'by_start_sequence', opt_start_seq: 2 },
      { ...PULL, deliver_policy: 'by_start_sequence', opt_start_seq: 3 },
      'start sequence can not be updated',
    ],
    [
      { ...PULL, deliver_policy: 'by_start_time', opt_start_time: '2024-01-01T00:00:00Z' },
      { ...PULL, deliver_policy: 'by_start_time', opt_start_time: '2024-01-01T00:00:01Z' },
      'start time can not be updated',
    ],
    [PULL, { ...PULL, ack_policy: 'all' }, 'ack policy can not be updated'],
    [PULL, { ...PULL, replay_policy: 'original' }, 'replay policy can not be updated'],
    [PUSH, { ...PUSH, idle_heartbeat: 2e9 }, 'heart beats can not be updated'],
    [PUSH, { ...PUSH, flow_control: true }, 'flow control can not be updated'],
    [PULL, { ...PULL, deliver_subject: 'p' }, 'can not update pull consumer to push based'],
    [{ ...PUSH, idle_heartbeat: 0 }, PULL, 'can not update push consumer to pull based'],
    [PULL, { ...PULL, max_waiting: 5 }, 'max waiting can not be updated'],
    // The first of several wins.
    [PULL, { ...PULL, ack_policy: 'all', deliver_policy: 'new' }, 'deliver policy can not be updated'],
  ] as const)('of %j to %j is refused', async (from, to, description) => {
    expect(await updateFailure(from, to)).toEqual({ err_code: 10012, description });
  });

  it('takes the same start time written in another zone', async () => {
    const start = { ...PULL, deliver_policy: 'by_start_time' } as const;
    expect(
      await updateFailure(
        { ...start, opt_start_time: '2024-01-01T00:00:00Z' },
        { ...start, opt_start_time: '2024-01-01T01:00:00+01:00' },
      ),
    ).toBeNull();
  });

  it('refuses another deliver subject while somebody listens on the present one', async () => {
    const bench = await Workbench.create();
    await bench.consumer(PUSH);
    bench.inbox('p');
    expect(await failure(() => bench.consumer({ ...PUSH, deliver_subject: 'q' }))).toEqual({
      err_code: 10013,
      description: 'consumer name already in use',
    });
    expect((await bench.consumer(PUSH)).config.deliver_subject).toBe('p');
  });

  it('changes what may change, at once and durably', async () => {
    const bench = await Workbench.create();
    await bench.consumer(PULL);
    const changes = {
      description: 'new',
      ack_wait: 5e9,
      max_deliver: 7,
      sample_freq: '50',
      max_ack_pending: 3,
      headers_only: true,
      max_batch: 10,
      max_expires: 1e9,
      max_bytes: 1000,
      inactive_threshold: 9e9,
      filter_subjects: ['s.a', 's.b'],
      backoff: [5e9, 6e9],
      metadata: { owner: 'me' },
    } as const;
    const consumer = await bench.consumer({ ...PULL, ...changes });
    expect(consumer.info()['config']).toMatchObject(changes);
    expect(bench.store().meta.config).toMatchObject({ ...changes, metadata: { owner: 'me', '_nats.req.level': '0' } });
  });

  it('with action "create" succeeds only for the same configuration', async () => {
    const bench = await Workbench.create();
    await bench.consumer(PULL);
    expect((await bench.consumer(PULL, { action: 'create' })).name).toBe('c');
    expect(await failure(() => bench.consumer({ ...PULL, description: 'x' }, { action: 'create' }))).toEqual({
      err_code: 10148,
      description: 'consumer already exists',
    });
  });

  it('with action "update" needs the consumer', async () => {
    const bench = await Workbench.create();
    expect(await failure(() => bench.consumer(PULL, { action: 'update' }))).toEqual({
      err_code: 10149,
      description: 'consumer does not exist',
    });
  });

  it('keeps pause_until, whatever the request says', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ ...PULL, pause_until: '2999-01-01T00:00:00Z' });
    const consumer = await bench.consumer({ ...PULL, description: 'x' });
    expect(consumer.config).toMatchObject({ description: 'x', pause_until: '2999-01-01T00:00:00Z' });
  });

  it('of the filter counts the backlog anew and goes on from the same position', async () => {
    const bench = await Workbench.create();
    for (const subject of ['s.a', 's.b', 's.a', 's.b']) bench.stream.publish(subject, subject);
    const consumer = await bench.consumer({ ...PULL, filter_subject: 's.a' });
    const inbox = bench.inbox('in');
    bench.pull('in');
    expect(consumer.backlog.count).toBe(1);
    await bench.consumer({ ...PULL, filter_subject: 's.b' });
    expect(consumer.backlog.count).toBe(2);
    bench.pull('in', '5');
    expect(gist(inbox)).toEqual(['s.a', 's.b', 's.b']);
  });

  it('of max_ack_pending lets waiting messages through', async () => {
    const bench = await Workbench.create();
    for (let count = 0; count < 3; count++) bench.stream.publish('s.a');
    await bench.consumer({ ...PULL, max_ack_pending: 1 });
    const inbox = bench.inbox('in');
    bench.pull('in', '3');
    expect(inbox).toHaveLength(1);
    await bench.consumer({ ...PULL, max_ack_pending: 3 });
    expect(inbox).toHaveLength(3);
  });

  it('of ack_wait counts from the last delivery', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a');
    await bench.consumer({ ...PULL, ack_wait: 30e9 });
    const inbox = bench.inbox('in');
    bench.pull('in', '5');
    bench.advance(400);
    await bench.consumer({ ...PULL, ack_wait: 1e9 });
    bench.advance(600);
    expect(inbox).toHaveLength(1);
    bench.advance(1);
    expect(numbers(inbox)).toEqual(['1/1/1/0', '2/1/2/0']);
  });

  it('of the deliver subject gives what is not acked to the new listener', async () => {
    const bench = await Workbench.create();
    const old = bench.inbox('p');
    const consumer = await bench.consumer({ ...PUSH, idle_heartbeat: 0 });
    bench.stream.publish('s.a', 'one');
    bench.stream.publish('s.a', 'two');
    bench.ack(old[0]);
    const next = bench.inbox('q');
    consumer.update({ ...consumer.config, deliver_subject: 'q' });
    expect(numbers(next)).toEqual(['2/2/3/0']);
  });

  it('of a consumer that was deleted meanwhile fails', async () => {
    const bench = await Workbench.create();
    const consumer = await bench.consumer(PULL);
    const store = bench.store();
    store.updateMeta = () => {
      consumer.stop('deleted');
      return Promise.resolve();
    };
    expect(await failure(() => bench.consumer({ ...PULL, description: 'x' }))).toEqual({
      err_code: 10149,
      description: 'consumer does not exist',
    });
  });

  it('that the store refuses changes nothing', async () => {
    const bench = await Workbench.create();
    const consumer = await bench.consumer(PULL);
    bench.store().updateMeta = () => Promise.reject(new Error('disk full'));
    expect(await failure(() => bench.consumer({ ...PULL, description: 'x' }))).toEqual({
      err_code: 10104,
      description: 'error creating store for consumer: disk full',
    });
    expect(consumer.config.description).toBe('');
  });
});
