import { describe, expect, it } from 'vitest';
import { consumerModule } from '../src/consumer/module.ts';
import type { JetStreamObserver } from '../src/observer.ts';
import { MemoryStorage } from '../src/store/memory/memory-storage.ts';
import { Harness } from './jetstream-harness.ts';
import { type ManualClock, turns } from './manual-clock.ts';
import { openStream } from './stream/stream-bench.ts';

/** Keeps what it is told, one line each. */
class Recorder {
  readonly lines: string[] = [];
  #next = 1;

  readonly observer: Required<Pick<JetStreamObserver, 'api' | 'messages'>> = {
    api: {
      apiBegan: ({ account, name, stream, consumer, header }, receivedMs) => {
        const at = `${account} ${name} ${stream || '-'} ${consumer || '-'} ${receivedMs > 0} ${header?.length ?? 0}`;
        this.lines.push(`${this.#next} began ${at}`);
        return this.#next++;
      },
      apiEnded: (began, failure) => {
        const how = failure === null ? 'ok' : `${failure.code} ${failure.errCode} ${failure.description}`;
        this.lines.push(`${began} ended ${how}`);
      },
    },
    messages: {
      taken: (account, stream, seq, subject, header, hs, he, payload, ps, pe) => {
        const text = `${header.toString('latin1', hs, he).trim().split('\r\n').at(-1)}|${payload.toString('utf8', ps, pe)}`;
        this.lines.push(`taken ${account} ${stream} ${seq} ${subject} ${text}`);
      },
      refused: (account, stream, { errCode }, subject, _header, _hs, _he, payload, ps, pe) => {
        this.lines.push(`refused ${account} ${stream} ${errCode} ${subject} ${payload.toString('utf8', ps, pe)}`);
      },
      stored: (account, stream, seq) => {
        this.lines.push(`stored ${account} ${stream} ${seq}`);
      },
      notStored: (account, stream, error) => {
        this.lines.push(`notStored ${account} ${stream} ${error.message}`);
      },
      delivered: (
        account,
        stream,
        consumer,
        deliveries,
        awaitsAck,
        { seq, subject, buffer, payloadStart, payloadEnd },
      ) => {
        const text = `${subject} ${buffer.toString('utf8', payloadStart, payloadEnd)}`;
        this.lines.push(`delivered ${account} ${stream} ${consumer} ${seq} ${deliveries} ${awaitsAck} ${text}`);
      },
      settled: (account, stream, consumer, seq, how) => {
        this.lines.push(`settled ${account} ${stream} ${consumer} ${seq} ${how}`);
      },
    },
  };

  /** What was told since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}

async function open(): Promise<{ harness: Harness; recorder: Recorder; clock: ManualClock }> {
  const recorder = new Recorder();
  const harness = await Harness.open({ observer: recorder.observer }, new MemoryStorage(), consumerModule);
  return { harness, recorder, clock: harness.host.clock as ManualClock };
}

describe('requests', () => {
  it('are told by their names, with how they ended', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    await harness.api('CONSUMER.CREATE.S.C.s.x', {
      stream_name: 'S',
      config: { name: 'C', ack_policy: 'explicit', filter_subject: 's.x' },
    });
    await harness.api('CONSUMER.INFO.S.D');
    await harness.api('STREAM.MSG.GET.S', { seq: 1 }, { headers: { traceparent: 'x' } });
    await harness.api('INFO');
    await harness.api('NO.SUCH.REQUEST');
    expect(recorder.take()).toEqual([
      '1 began $G STREAM.CREATE S - true 0',
      '1 ended ok',
      '2 began $G CONSUMER.CREATE S C true 0',
      '2 ended ok',
      '3 began $G CONSUMER.INFO S D true 0',
      '3 ended 404 10014 consumer not found',
      expect.stringMatching(/^4 began \$G STREAM\.MSG\.GET S - true [1-9]/),
      '4 ended 404 10037 no message found',
      '5 began $G INFO - - true 0',
      '5 ended ok',
    ]);
  });
});

describe('direct gets', () => {
  it('are told to whoever watches messages, and to nobody else', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s.>'], allow_direct: true });
    await harness.ask('s.x', 'one');
    await harness.ask('s.y', 'two');
    recorder.take();
    await harness.ask('$JS.API.DIRECT.GET.S.s.x');
    await harness.ask('$JS.API.DIRECT.GET.S.s.z');
    await harness.ask('$JS.API.DIRECT.GET.S', '');
    await harness.ask('$JS.API.DIRECT.GET.S', '{"batch":5,"seq":1}');
    await turns();
    expect(recorder.take()).toEqual([
      '2 began $G DIRECT.GET S - true 0',
      '2 ended ok',
      '3 began $G DIRECT.GET S - true 0',
      '3 ended ok',
      '4 began $G DIRECT.GET S - true 0',
      '4 ended 408 0 Empty Request',
      '5 began $G DIRECT.GET S - true 0',
      '5 ended ok',
    ]);
    const other = new Recorder();
    const plain = await Harness.open({ observer: { api: other.observer.api } }, new MemoryStorage(), consumerModule);
    await plain.create({ name: 'S', subjects: ['s.>'], allow_direct: true });
    await plain.ask('$JS.API.DIRECT.GET.S.s.x');
    expect(other.take().filter((line) => line.includes('DIRECT'))).toEqual([]);
  });
});

describe('messages', () => {
  it('are told on their way from the publisher to the ack', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    const config = { durable_name: 'C', deliver_subject: 'D', ack_policy: 'explicit' };
    const received = harness.account.inbox('D');
    await harness.api('CONSUMER.DURABLE.CREATE.S.C', { stream_name: 'S', config });
    recorder.take();
    harness.account.publish('s.x', 'hello', { headers: { 'Nats-Msg-Id': '1' } });
    await turns();
    expect(recorder.take()).toEqual([
      'taken $G S 1 s.x Nats-Msg-Id: 1|hello',
      'stored $G S 1',
      'delivered $G S C 1 1 true s.x hello',
    ]);
    harness.account.publish(received[0]!.reply!, '-NAK');
    await turns();
    expect(recorder.take()).toEqual(['settled $G S C 1 nak', 'delivered $G S C 1 2 true s.x hello']);
    harness.account.publish(received[1]!.reply!, '+WPI');
    harness.account.publish(received[1]!.reply!, '+ACK');
    harness.account.publish(received[1]!.reply!, '+ACK');
    expect(recorder.take()).toEqual(['settled $G S C 1 ack']);
    harness.account.publish('s.x', 'two');
    await turns();
    recorder.take();
    harness.account.publish(received[2]!.reply!, '+TERM');
    expect(recorder.take()).toEqual(['settled $G S C 2 term']);
  });

  it('are told when deliveries run out, and when the stream loses what awaits an ack', async () => {
    const { harness, recorder, clock } = await open();
    await harness.create({ name: 'S', subjects: ['s'] });
    harness.account.inbox('D');
    const config = { durable_name: 'C', deliver_subject: 'D', ack_policy: 'explicit', max_deliver: 1, ack_wait: 1e9 };
    await harness.api('CONSUMER.DURABLE.CREATE.S.C', { stream_name: 'S', config });
    harness.account.publish('s', 'one');
    await turns();
    recorder.take();
    clock.advance(2_000);
    await turns();
    expect(recorder.take()).toEqual(['settled $G S C 1 exhausted']);
    harness.account.publish('s', 'two');
    await turns();
    recorder.take();
    await harness.api('STREAM.MSG.DELETE.S', { seq: 2 });
    expect(recorder.take()).toContain('settled $G S C 2 gone');
  });

  it('are told one by one when one ack is for all, and without an ack when none is asked for', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s'] });
    const all = harness.account.inbox('A');
    harness.account.inbox('N');
    const create = (durable_name: string, deliver_subject: string, ack_policy: string): Promise<string> => {
      const config = { durable_name, deliver_subject, ack_policy };
      return harness.api(`CONSUMER.DURABLE.CREATE.S.${durable_name}`, { stream_name: 'S', config });
    };
    await create('all', 'A', 'all');
    await create('none', 'N', 'none');
    recorder.take();
    harness.account.publish('s', '1');
    harness.account.publish('s', '2');
    await turns();
    const lines = recorder.take();
    expect(lines).toContain('delivered $G S none 2 1 false s 2');
    expect(lines.filter((line) => line.startsWith('settled'))).toEqual([]);
    harness.account.publish(all[1]!.reply!, '+ACK');
    expect(recorder.take()).toEqual(['settled $G S all 1 ack', 'settled $G S all 2 ack']);
  });

  it('are told when nobody waits for their ack any more: purged, begun again, deleted', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s'] });
    harness.account.inbox('D');
    const config = { durable_name: 'C', deliver_subject: 'D', ack_policy: 'explicit' };
    const create = (): Promise<string> => harness.api('CONSUMER.DURABLE.CREATE.S.C', { stream_name: 'S', config });
    const settled = (): string[] => recorder.take().filter((line) => line.startsWith('settled'));
    await create();
    for (const text of ['1', '2', '3']) harness.account.publish('s', text);
    await turns();
    await harness.api('STREAM.PURGE.S', { seq: 3 });
    expect(settled()).toEqual(['settled $G S C 1 gone', 'settled $G S C 2 gone']);
    await harness.api('CONSUMER.RESET.S.C', { seq: 3 });
    await turns();
    expect(settled()).toEqual(['settled $G S C 3 gone']);
    await harness.api('CONSUMER.DELETE.S.C');
    expect(settled()).toEqual(['settled $G S C 3 gone']);
    await create();
    await turns();
    await harness.api('STREAM.DELETE.S');
    expect(settled()).toEqual(['settled $G S C 3 gone']);
  });

  it('are told when the stream refuses them', async () => {
    const { harness, recorder } = await open();
    await harness.create({ name: 'S', subjects: ['s'], max_msg_size: 3 });
    recorder.take();
    harness.account.publish('s', 'four');
    expect(recorder.take()).toEqual(['refused $G S 10054 s four']);
  });

  it('are told when the disk does not take them', async () => {
    const recorder = new Recorder();
    const { publish, store } = await openStream({}, { isInstant: false, options: { observer: recorder.observer } });
    publish('s.x', 'one');
    store.fail('no space left on device');
    expect(recorder.take()).toEqual(['taken $G S 1 s.x |one', 'notStored $G S no space left on device']);
    publish('s.x', 'two');
    expect(recorder.take()).toEqual(['refused $G S 10077 s.x two']);
  });
});
