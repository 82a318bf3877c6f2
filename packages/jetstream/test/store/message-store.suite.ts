import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageStore, StreamStoreOptions } from '../../src/store/store.ts';
import { MessageModel } from './message-model.ts';
import { append, committed, filterOf, load, loadLast, loadNext, newMessage, storeOptions, watch } from './support.ts';

/** A store under test. */
export interface StoreUnderTest {
  store: MessageStore;
  /** Closes it and opens what it left, where the kind keeps anything. Null: this kind does not. */
  reopen: (() => Promise<MessageStore>) | null;
  dispose(): Promise<void>;
}

export type StoreFactory = (options: StreamStoreOptions) => Promise<StoreUnderTest>;

/** The behaviour both kinds of message store have in common. */
export function describeMessageStore(kind: 'file' | 'memory', open: StoreFactory): void {
  describe(`message store (${kind})`, () => {
    let under: StoreUnderTest;
    let store: MessageStore;

    async function start(options: Partial<StreamStoreOptions> = {}): Promise<void> {
      under = await open(storeOptions({ kind, ...options }));
      store = under.store;
    }

    beforeEach(() => start());
    afterEach(async () => {
      await under.dispose();
    });

    async function restart(options: Partial<StreamStoreOptions>): Promise<void> {
      await under.dispose();
      await start(options);
    }

    describe('append and load', () => {
      it('starts empty, with first and last sequence 0 and no times', () => {
        expect(store.kind).toBe(kind);
        expect(store.state()).toEqual(new MessageModel(kind).state());
      });

      it('numbers messages from 1 and reads them back', async () => {
        expect(append(store, 'a', 'one', 'NATS/1.0\r\n\r\n', 5000, 123_456)).toBe(1);
        expect(append(store, 'b', 'two', '', 5000, 123_457)).toBe(2);
        expect(await load(store, 1)).toEqual({
          seq: 1,
          subject: 'a',
          header: 'NATS/1.0\r\n\r\n',
          payload: 'one',
          timeMs: 5000,
          timeNs: 123_456,
        });
        expect(await load(store, 2)).toMatchObject({ seq: 2, subject: 'b', header: '', payload: 'two' });
        expect(await load(store, 3)).toBeNull();
        expect(await load(store, 0)).toBeNull();
      });

      it('copies the bytes, so that the caller may reuse its buffers', async () => {
        const header = Buffer.from('..NATS/1.0\r\n\r\n..');
        const payload = Buffer.from('..payload..');
        store.append('a', header, 2, header.length - 2, payload, 2, payload.length - 2, 1, 0);
        header.fill(0x78);
        payload.fill(0x78);
        expect(await load(store, 1)).toMatchObject({ header: 'NATS/1.0\r\n\r\n', payload: 'payload' });
      });

      it('takes bytes that are no Buffer', async () => {
        const bytes = new TextEncoder().encode('xhellox');
        store.append('a', bytes, 0, 0, bytes, 1, 6, 1, 0);
        expect(await load(store, 1)).toMatchObject({ header: '', payload: 'hello' });
      });

      it('keeps empty, large and binary payloads', async () => {
        const large = Buffer.alloc(1_500_000, 'nats\0\xff', 'latin1').toString('latin1');
        for (const payload of ['', large, '\0\r\n\xff', large]) append(store, 'a', payload);
        expect((await load(store, 1))?.payload).toBe('');
        expect((await load(store, 2))?.payload === large).toBe(true);
        expect((await load(store, 3))?.payload).toBe('\0\r\n\xff');
        expect((await load(store, 4))?.payload === large).toBe(true);
      });

      it('keeps subjects beyond ASCII and counts their bytes on the wire', async () => {
        append(store, 'grüße.日本');
        expect((await load(store, 1))?.subject).toBe('grüße.日本');
        expect(store.bytes).toBe(14 + (kind === 'memory' ? 16 : 30));
      });

      it('counts bytes as nats-server does', () => {
        append(store, 'ab', 'cde', 'NATS/1.0\r\n\r\n');
        expect(store.bytes).toBe(kind === 'memory' ? 2 + 3 + 12 + 16 : 22 + 2 + 4 + 12 + 3 + 8);
        append(store, 'ab', 'cde');
        expect(store.bytes).toBe(kind === 'memory' ? 33 + 21 : 51 + 35);
        store.remove(1, 'user', false);
        expect(store.bytes).toBe(kind === 'memory' ? 21 : 35);
      });

      it('refuses a record above 32 MiB and stores nothing of it', () => {
        const tooLarge = Buffer.alloc(32 * 1024 * 1024);
        expect(() => store.append('a', tooLarge, 0, 0, tooLarge, 0, tooLarge.length, 1, 0)).toThrow(RangeError);
        expect(store.state()).toEqual(new MessageModel(kind).state());
        expect(append(store, 'a')).toBe(1);
      });

      it('starts at the first sequence it is given', async () => {
        await restart({ firstSeq: 1000 });
        expect(store.state()).toEqual(new MessageModel(kind, 1000).state());
        expect(append(store, 'a')).toBe(1000);
        expect(store.firstSeq).toBe(1000);
      });

      it('refuses to go on above sequence 2^53 - 1', async () => {
        await restart({ firstSeq: Number.MAX_SAFE_INTEGER });
        expect(append(store, 'a')).toBe(Number.MAX_SAFE_INTEGER);
        expect(() => append(store, 'a')).toThrow(RangeError);
        expect(() => store.skip(1, 1, 0)).toThrow(RangeError);
        expect(store.lastSeq).toBe(Number.MAX_SAFE_INTEGER);
        expect(store.messages).toBe(1);
      });

      it('refuses a jump above sequence 2^53 - 1', () => {
        append(store, 'a');
        expect(() => store.skip(Number.MAX_SAFE_INTEGER, 1, 0)).toThrow(RangeError);
        expect(store.lastSeq).toBe(1);
      });
    });

    describe('skip', () => {
      it('uses up sequences and moves the time on', () => {
        expect(store.skip(3, 7000, 5)).toBe(3);
        expect(store.state()).toMatchObject({
          messages: 0,
          firstSeq: 4,
          lastSeq: 3,
          firstTime: null,
          lastTime: { ms: 7000, ns: 5 },
        });
        expect(append(store, 'a')).toBe(4);
        expect(store.firstSeq).toBe(4);
        expect(store.skip(2, 8000, 0)).toBe(6);
        expect(store.state()).toMatchObject({ messages: 1, firstSeq: 4, lastSeq: 6, deleted: 2 });
        expect(store.deletedSeqs()).toEqual([5, 6]);
      });

      it('skips a great many at once', async () => {
        append(store, 'a');
        expect(store.skip(5_000_000_000, 1, 0)).toBe(5_000_000_001);
        expect(append(store, 'b')).toBe(5_000_000_002);
        expect(store.state()).toMatchObject({ messages: 2, deleted: 5_000_000_000 });
        expect((await loadNext(store, null, 2))?.seq).toBe(5_000_000_002);
        expect((await loadLast(store, filterOf('*'), 5_000_000_001))?.seq).toBe(1);
      });
    });

    describe('remove', () => {
      it.each(['user', 'limit', 'ack'] as const)('forgets a message and returns its subject (%s)', async (reason) => {
        for (let seq = 1; seq <= 5; seq++) append(store, `s.${seq % 2}`, `${seq}`);
        expect(store.remove(3, reason, false)).toBe('s.1');
        expect(store.remove(3, reason, false)).toBeNull();
        expect(store.remove(6, reason, false)).toBeNull();
        expect(await load(store, 3)).toBeNull();
        expect(store.deletedSeqs()).toEqual([3]);
        expect(store.subject('s.1')).toEqual({ count: 2, first: 1, last: 5 });
      });

      it('moves first to the next message there is', () => {
        for (let seq = 1; seq <= 5; seq++) append(store, 'a');
        store.remove(2, 'user', false);
        store.remove(1, 'user', false);
        expect(store.state()).toMatchObject({ firstSeq: 3, firstTime: { ms: 1_000_003, ns: 0 }, deleted: 0 });
      });

      it('never moves last', async () => {
        for (let seq = 1; seq <= 3; seq++) append(store, 'a', `${seq}`);
        store.remove(3, 'user', false);
        expect(store.state()).toMatchObject({ lastSeq: 3, lastTime: { ms: 1_000_003, ns: 0 }, deleted: 1 });
        expect((await loadLast(store, filterOf('a'), 3))?.seq).toBe(2);
        expect(append(store, 'a')).toBe(4);
      });

      it('leaves first one above last when the last message goes', () => {
        for (let seq = 1; seq <= 3; seq++) append(store, 'a');
        for (const seq of [3, 1, 2]) store.remove(seq, 'ack', false);
        expect(store.state()).toMatchObject({
          messages: 0,
          bytes: 0,
          firstSeq: 4,
          firstTime: null,
          lastSeq: 3,
          deleted: 0,
          subjects: 0,
        });
        expect(store.subject('a')).toBeUndefined();
      });

      it('erases the bytes when told to', async () => {
        append(store, 'a', 'secret');
        append(store, 'a', 'open');
        expect(store.remove(1, 'user', true)).toBe('a');
        expect(await load(store, 1)).toBeNull();
        expect(await load(store, 2)).toMatchObject({ payload: 'open' });
      });
    });

    describe('purge', () => {
      function fill(): void {
        for (let seq = 1; seq <= 12; seq++) append(store, `s.${seq % 3}`, `${seq}`);
      }

      it('removes everything and leaves first one above last', () => {
        fill();
        const removed: string[] = [];
        expect(store.purge(null, 0, 0, (seq, subject) => removed.push(`${seq} ${subject}`))).toBe(12);
        expect(removed.sort()).toEqual(Array.from({ length: 12 }, (_, at) => `${at + 1} s.${(at + 1) % 3}`).sort());
        expect(store.state()).toMatchObject({
          messages: 0,
          bytes: 0,
          firstSeq: 13,
          lastSeq: 12,
          firstTime: null,
          lastTime: { ms: 1_000_012, ns: 0 },
          subjects: 0,
        });
        expect(append(store, 'a')).toBe(13);
      });

      it('sets first to 1 when nothing was ever stored', () => {
        expect(store.purge(null, 0, 0, null)).toBe(0);
        expect(store.state()).toMatchObject({ firstSeq: 1, lastSeq: 0 });
      });

      it('removes what a filter takes', async () => {
        fill();
        const removed: string[] = [];
        expect(store.purge(filterOf('s.1'), 0, 0, (seq, subject) => removed.push(`${seq} ${subject}`))).toBe(4);
        expect(removed.sort()).toEqual(['1 s.1', '10 s.1', '4 s.1', '7 s.1']);
        expect(store.state()).toMatchObject({ messages: 8, firstSeq: 2, subjects: 2 });
        expect(await load(store, 4)).toBeNull();
        expect(store.deletedSeqs()).toEqual([4, 7, 10]);
      });

      it('removes what several filters take', () => {
        fill();
        expect(store.purge(filterOf('s.1', 's.2'), 0, 0, null)).toBe(8);
        expect(store.deletedSeqs()).toEqual([4, 5, 7, 8, 10, 11]);
      });

      it('takes > as everything', () => {
        fill();
        expect(store.purge(filterOf('>'), 0, 0, null)).toBe(12);
        expect(store.state()).toMatchObject({ messages: 0, firstSeq: 13 });
      });

      it('stops below a sequence', () => {
        fill();
        expect(store.purge(null, 5, 0, null)).toBe(4);
        expect(store.state()).toMatchObject({ messages: 8, firstSeq: 5 });
        expect(store.purge(filterOf('s.0'), 9, 0, null)).toBe(1);
        expect(store.deletedSeqs()).toEqual([6]);
      });

      it('does nothing below 1 or below first', () => {
        fill();
        expect(store.purge(null, 1, 0, null)).toBe(0);
        store.remove(1, 'user', false);
        store.remove(2, 'user', false);
        expect(store.purge(null, 2, 0, null)).toBe(0);
        expect(store.purge(filterOf('none'), 0, 0, null)).toBe(0);
        expect(store.state()).toMatchObject({ messages: 10, firstSeq: 3 });
      });

      it('moves the next sequence on when it stops beyond the end', () => {
        fill();
        expect(store.purge(null, 100, 0, null)).toBe(12);
        expect(store.state()).toMatchObject({ messages: 0, firstSeq: 100, lastSeq: 99 });
        expect(append(store, 'a')).toBe(100);
      });

      it('does not move the next sequence when a filtered purge stops beyond the end', () => {
        fill();
        expect(store.purge(filterOf('s.*'), 100, 0, null)).toBe(12);
        expect(store.state()).toMatchObject({ messages: 0, firstSeq: 13, lastSeq: 12 });
      });

      it('keeps the newest', () => {
        fill();
        expect(store.purge(filterOf('s.1'), 0, 1, null)).toBe(3);
        expect(store.subject('s.1')).toEqual({ count: 1, first: 10, last: 10 });
        expect(store.purge(null, 0, 5, null)).toBe(4);
        expect(store.state()).toMatchObject({ messages: 5, firstSeq: 8 });
        expect(store.purge(null, 0, 5, null)).toBe(0);
        expect(store.purge(filterOf('s.1'), 0, 100, null)).toBe(0);
      });
    });

    describe('subjects and counts', () => {
      beforeEach(() => {
        for (let seq = 1; seq <= 10; seq++) append(store, `s.${seq % 3}`, `${seq}`);
      });

      it('knows count, first and last of a subject', () => {
        expect(store.subject('s.1')).toEqual({ count: 4, first: 1, last: 10 });
        store.remove(1, 'user', false);
        store.remove(10, 'user', false);
        expect(store.subject('s.1')).toEqual({ count: 2, first: 4, last: 7 });
        expect(store.subject('s.3')).toBeUndefined();
        expect(store.subject('s.*')).toBeUndefined();
      });

      it('lists the subjects that pass', () => {
        const list = (filter: Parameters<MessageStore['eachSubject']>[0]): [string, number][] => {
          const found: [string, number][] = [];
          store.eachSubject(filter, (subject, state) => {
            found.push([subject, state.count]);
            return undefined;
          });
          return found.sort();
        };
        expect(list(null)).toEqual([
          ['s.0', 3],
          ['s.1', 4],
          ['s.2', 3],
        ]);
        expect(list(filterOf('s.0', 's.2', 's.0'))).toEqual([
          ['s.0', 3],
          ['s.2', 3],
        ]);
        expect(list(filterOf('s.*', 's.1'))).toHaveLength(3);
        expect(list(filterOf('t.>'))).toEqual([]);
      });

      it('stops listing when told to', () => {
        let calls = 0;
        store.eachSubject(null, () => {
          calls++;
          return false;
        });
        expect(calls).toBe(1);
      });

      it('counts what passes from a sequence on', () => {
        expect(store.count(null, 0)).toBe(10);
        expect(store.count(null, 4)).toBe(7);
        expect(store.count(filterOf('s.1'), 0)).toBe(4);
        expect(store.count(filterOf('s.1'), 5)).toBe(2);
        expect(store.count(filterOf('s.1', 's.2'), 5)).toBe(4);
        expect(store.count(filterOf('>'), 10)).toBe(1);
        expect(store.count(null, 11)).toBe(0);
      });
    });

    describe('loadNext and loadLast', () => {
      beforeEach(() => {
        for (let seq = 1; seq <= 10; seq++) append(store, `s.${seq % 3}`, `${seq}`);
        store.remove(4, 'user', false);
      });

      it('finds the next message that passes', async () => {
        expect((await loadNext(store, null, 0))?.seq).toBe(1);
        expect((await loadNext(store, null, 4))?.seq).toBe(5);
        expect((await loadNext(store, filterOf('s.1'), 2))?.seq).toBe(7);
        expect((await loadNext(store, filterOf('s.1', 's.0'), 4))?.seq).toBe(6);
        expect((await loadNext(store, filterOf('*.2'), 6))?.seq).toBe(8);
        expect(await loadNext(store, filterOf('s.2'), 9)).toBeNull();
        expect(await loadNext(store, filterOf('none'), 1)).toBeNull();
        expect(await loadNext(store, null, 11)).toBeNull();
      });

      it('finds the last message that passes', async () => {
        expect((await loadLast(store, filterOf('>'), 10))?.seq).toBe(10);
        expect((await loadLast(store, filterOf('>'), 4))?.seq).toBe(3);
        expect((await loadLast(store, filterOf('s.1'), 9))?.seq).toBe(7);
        expect((await loadLast(store, filterOf('s.1'), 6))?.seq).toBe(1);
        expect((await loadLast(store, filterOf('s.0', 's.2'), 1_000))?.seq).toBe(9);
        expect(await loadLast(store, filterOf('s.2'), 1)).toBeNull();
        expect(await loadLast(store, filterOf('none'), 10)).toBeNull();
      });

      it('answers gone on an empty store', () => {
        store.purge(null, 0, 0, null);
        expect(store.loadNext(null, 0, newMessage())).toBe('gone');
        expect(store.loadLast(filterOf('>'), 100, newMessage())).toBe('gone');
        expect(store.load(1, newMessage())).toBe('gone');
      });
    });

    describe('seqAtTime', () => {
      it('finds the first message at or after a time', () => {
        for (const [ms, ns] of [
          [1000, 0],
          [1000, 1],
          [1000, 999_999],
          [2000, 0],
          [2000, 0],
          [3000, 500],
        ] as const) {
          append(store, 'a', '', '', ms, ns);
        }
        expect(store.seqAtTime(0, 0)).toBe(1);
        expect(store.seqAtTime(1000, 0)).toBe(1);
        expect(store.seqAtTime(1000, 2)).toBe(3);
        expect(store.seqAtTime(2000, 0)).toBe(4);
        expect(store.seqAtTime(2000, 1)).toBe(6);
        expect(store.seqAtTime(3000, 501)).toBe(7);
        store.remove(4, 'user', false);
        store.remove(5, 'user', false);
        expect(store.seqAtTime(1500, 0)).toBe(6);
      });

      it('answers one above last when there is none', () => {
        expect(store.seqAtTime(0, 0)).toBe(1);
        append(store, 'a');
        store.purge(null, 0, 0, null);
        expect(store.seqAtTime(0, 0)).toBe(2);
      });
    });

    describe('commit', () => {
      it('raises applied with every mutation and committed up to it', async () => {
        const watched = watch(store);
        const before = store.applied;
        append(store, 'a');
        expect(store.applied).toBe(before + 1);
        store.skip(1, 1, 0);
        append(store, 'a');
        store.remove(1, 'user', false);
        store.purge(null, 0, 0, null);
        expect(store.applied).toBe(before + 5);
        expect(store.committed).toBeLessThanOrEqual(store.applied);
        await committed(store);
        expect(store.committed).toBe(store.applied);
        expect(store.committedSeq).toBe(3);
        expect(store.failure).toBeNull();
        expect(watched.failures).toEqual([]);
      });

      it('tells of commits outside of mutations, and of the last one too', async () => {
        let mutating = false;
        let told = 0;
        let during = 0;
        store.setEvents({
          onCommit: () => {
            told = store.committed;
            if (mutating) during++;
          },
          onFailure: () => {},
        });
        for (let at = 0; at < 100; at++) {
          mutating = true;
          append(store, 'a', 'x'.repeat(at));
          mutating = false;
          if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await committed(store);
        await new Promise((resolve) => setImmediate(resolve));
        expect(told).toBe(store.applied);
        expect(during).toBe(0);
      });

      it('never lets committedSeq pass last, and lets it reach last', async () => {
        for (let at = 0; at < 500; at++) {
          const seq = append(store, 'a');
          expect(store.committedSeq).toBeLessThanOrEqual(seq);
        }
        await committed(store);
        expect(store.committedSeq).toBe(500);
      });

      it('recovers at once when nothing failed', async () => {
        expect(await store.recover()).toBe(true);
      });
    });

    describe('many messages', () => {
      it('keeps order, counts and gaps over several blocks', async () => {
        const model = new MessageModel(kind);
        for (let at = 1; at <= 9000; at++) {
          const message = {
            subject: `k.${at % 7}`,
            header: '',
            payload: `${at}`.repeat(at % 9),
            timeMs: at,
            timeNs: 0,
          };
          append(store, message.subject, message.payload, '', at, 0);
          model.append(message);
        }
        for (let seq = 1; seq <= 9000; seq++) {
          if (seq % 10 !== 0) {
            store.remove(seq, 'ack', false);
          }
        }
        model.messages = model.messages.filter(({ seq }) => seq % 10 === 0);
        expect(store.state()).toEqual(model.state());
        for (let from = 1; from <= 9000; from += 611) {
          expect(await loadNext(store, null, from)).toEqual(model.loadNext(null, from));
          expect(await loadNext(store, filterOf('k.3'), from)).toEqual(model.loadNext(filterOf('k.3'), from));
          expect(await loadLast(store, filterOf('k.5'), from)).toEqual(model.loadLast(filterOf('k.5'), from));
          expect(store.seqAtTime(from, 0)).toBe(model.seqAtTime(from, 0));
        }
        expect(append(store, 'a')).toBe(9001);
      });

      it('finds the last message of a rare subject behind many others', async () => {
        append(store, 'rare.one');
        for (let at = 0; at < 1000; at++) append(store, `often.${at}`);
        expect((await loadLast(store, filterOf('rare.*'), 1001))?.seq).toBe(1);
        expect((await loadLast(store, filterOf('rare.one'), 500))?.seq).toBe(1);
        expect((await loadNext(store, filterOf('often.999'), 2))?.seq).toBe(1001);
      });
    });
  });
}
