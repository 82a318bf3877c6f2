import type { Socket } from 'node:net';
import type { ServerParser } from '@nats-ts/protocol';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../src/connection/connection.ts';
import { FlushQueue } from '../src/connection/flush-queue.ts';
import { FramePool } from '../src/connection/frame-pool.ts';
import { Intake } from '../src/connection/intake.ts';
import { ORIGIN_ELSEWHERE, ORIGIN_OWNED } from '../src/delivery/message-frame.ts';
import type { PublisherHold } from '../src/internal-message.ts';
import { HELD_BYTES_MAX, TURN_MS, TURN_WORK_PER_LOOK } from '../src/limits.ts';
import { ManualClock } from './support.ts';

interface Fixture {
  readonly intake: Intake;
  readonly events: string[];
  readonly clock: ManualClock;
  onParse: (chunk: Buffer) => number;
}

function fixture(): Fixture {
  const events: string[] = [];
  const clock = new ManualClock();
  const connection = {
    context: { clock, flushQueue: new FlushQueue(), frames: new FramePool(null) },
    inMsgs: 0,
    account: { name: '$G' },
    log: {
      debug: () => {},
      warn: () => {},
      warnRateLimited: (_key: string, text: string) => events.push(text),
      error: (text: string) => events.push(text.startsWith('Too much input') ? 'too much' : 'failed'),
    },
    close: () => {},
    wasActive: () => {},
    pinger: { excuse: () => events.push('excused') },
  };
  const parser = {
    parse: (chunk: Buffer) => made.onParse(chunk),
    pause: () => events.push('parser paused'),
    resume: () => events.push('parser resumed'),
    stop: () => events.push('parser stopped'),
  };
  const socket = { pause: () => events.push('paused'), resume: () => events.push('resumed') };
  const made: Fixture = {
    intake: new Intake(
      connection as unknown as Connection,
      parser as unknown as ServerParser,
      socket as unknown as Socket,
    ),
    events,
    clock,
    onParse: (chunk) => chunk.length,
  };
  return made;
}

describe('input', () => {
  it('that comes while a password is verified is held, and worked off afterwards', () => {
    const made = fixture();
    const seen: string[] = [];
    made.onParse = (chunk) => {
      seen.push(chunk.toString());
      if (!chunk.toString().startsWith('CONNECT')) return chunk.length;
      made.intake.hold();
      return 'CONNECT'.length;
    };
    const reused = Buffer.from('CONNECT rest');
    made.intake.receive(reused, ORIGIN_ELSEWHERE);
    reused.fill(0x2e);
    made.intake.receive(Buffer.from('more'), ORIGIN_ELSEWHERE);
    expect(seen).toEqual(['CONNECT rest']);
    made.intake.release();
    expect(seen).toEqual(['CONNECT rest', ' rest', 'more']);
    expect(made.events).toEqual(['parser paused', 'paused', 'parser resumed', 'resumed']);
  });

  it('beyond what is held closes the connection', () => {
    const made = fixture();
    made.intake.hold();
    made.intake.receive(Buffer.alloc(HELD_BYTES_MAX), ORIGIN_ELSEWHERE);
    expect(made.events).not.toContain('too much');
    made.intake.receive(Buffer.alloc(1), ORIGIN_ELSEWHERE);
    expect(made.events).toContain('too much');
  });

  it('that fails to be handled is reported', () => {
    const made = fixture();
    made.onParse = () => {
      throw new Error('broken');
    };
    made.intake.receive(Buffer.from('x'), ORIGIN_ELSEWHERE);
    expect(made.events).toEqual(['failed']);
  });

  it('belongs to the chunk it came in, or to the message it was gathered for', () => {
    const made = fixture();
    const chunk = Buffer.from('x');
    const origins: number[] = [];
    made.onParse = () => {
      origins.push(made.intake.originOf(chunk), made.intake.originOf(Buffer.from('y')));
      return 1;
    };
    made.intake.receive(chunk, 4096);
    expect(origins).toEqual([4096, ORIGIN_OWNED]);
  });
});

describe('a producer whose consumer is behind', () => {
  it('is not read for two milliseconds a message, ten at most, five if the consumer is full', () => {
    for (const [messages, isFull, ms] of [
      [1, false, 2],
      [3, false, 6],
      [1, true, 5],
      [100, true, 10],
    ] as const) {
      const made = fixture();
      made.onParse = (chunk) => {
        for (let i = 0; i < messages; i++) made.intake.stall(isFull);
        return chunk.length;
      };
      made.intake.receive(Buffer.from('x'), ORIGIN_ELSEWHERE);
      expect(made.events).toEqual(['paused']);
      made.clock.advance(ms - 1);
      expect(made.events).toEqual(['paused']);
      made.clock.advance(1);
      expect(made.events[1]).toBe('resumed');
      expect(made.events[2]).toBe(ms < 5 ? undefined : `Producer was stalled for a total of ${ms}ms`);
    }
  });

  it('goes on at once when the consumer has caught up', () => {
    const made = fixture();
    made.onParse = (chunk) => {
      made.intake.stall(true);
      return chunk.length;
    };
    made.intake.receive(Buffer.from('x'), ORIGIN_ELSEWHERE);
    made.intake.unstall();
    made.intake.unstall();
    expect(made.events).toEqual(['paused', 'resumed']);
    expect(made.clock.timerCount).toBe(0);
  });
});

describe('a client that keeps the server busy', () => {
  it('lets the others go first between two chunks, when it has had its turn', () => {
    const made = fixture();
    const seen: string[] = [];
    made.onParse = (chunk) => {
      seen.push(chunk.toString());
      made.clock.advance(TURN_MS / 2);
      return chunk.length;
    };
    made.intake.receive(Buffer.from('a'), ORIGIN_ELSEWHERE);
    expect(made.events).toEqual([]);
    made.intake.receive(Buffer.from('b'), ORIGIN_ELSEWHERE);
    expect(made.events).toEqual(['parser paused', 'paused']);
    made.intake.receive(Buffer.from('c'), ORIGIN_ELSEWHERE);
    expect(seen).toEqual(['a', 'b']);
    made.clock.advance(0);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(made.events.slice(2)).toEqual(['parser resumed', 'resumed']);
  });

  it('lets them go first in the middle of a chunk, when what it asks for costs a lot', () => {
    const made = fixture();
    const seen: string[] = [];
    made.onParse = (chunk) => {
      let used = 0;
      while (used < chunk.length && !made.events.includes('parser paused')) {
        seen.push(chunk.toString('latin1', used, ++used));
        made.clock.advance(TURN_MS / 2);
        made.intake.worked(TURN_WORK_PER_LOOK);
      }
      made.events.length = 0;
      return used;
    };
    const reused = Buffer.from('abc');
    made.intake.receive(reused, ORIGIN_ELSEWHERE);
    reused.fill(0x2e);
    expect(seen.join('')).toBe('ab');
    made.intake.receive(Buffer.from('d'), ORIGIN_ELSEWHERE);
    expect(seen.join('')).toBe('ab');
    made.clock.advance(0);
    expect(seen.join('')).toBe('abcd');
  });

  it('is not looked at more often than its work is worth', () => {
    const made = fixture();
    made.onParse = (chunk) => {
      made.clock.advance(TURN_MS * 2);
      made.intake.worked(TURN_WORK_PER_LOOK - 1);
      expect(made.events).toEqual([]);
      made.intake.worked(1);
      return chunk.length;
    };
    made.intake.receive(Buffer.from('x'), ORIGIN_ELSEWHERE);
    expect(made.events).toEqual(['parser paused', 'paused']);
  });

  it('and waits for its password waits for both', () => {
    const made = fixture();
    const seen: string[] = [];
    made.onParse = (chunk) => {
      seen.push(chunk.toString());
      made.intake.hold();
      made.clock.advance(TURN_MS);
      return 1;
    };
    made.intake.receive(Buffer.from('ab'), ORIGIN_ELSEWHERE);
    made.clock.advance(0);
    expect(seen).toEqual(['ab']);
    made.onParse = (chunk) => seen.push(chunk.toString());
    made.intake.release();
    expect(seen).toEqual(['ab', 'b']);
  });

  it('and is closed is not worked for any more', () => {
    const made = fixture();
    made.onParse = () => {
      made.clock.advance(TURN_MS);
      made.intake.worked(TURN_WORK_PER_LOOK);
      return 1;
    };
    made.intake.receive(Buffer.from('ab'), ORIGIN_ELSEWHERE);
    made.onParse = () => {
      throw new Error('parsed');
    };
    made.intake.stop();
    made.clock.advance(0);
    expect(made.events.at(-1)).toBe('parser stopped');
  });
});

describe('a publisher that somebody inside the process cannot keep up with', () => {
  it('is neither read nor parsed until the last hold on it is released', () => {
    const made = fixture();
    const seen: string[] = [];
    const holds: PublisherHold[] = [];
    made.onParse = (chunk) => {
      seen.push(chunk.toString());
      if (holds.length > 0) return chunk.length;
      holds.push(made.intake.shut(), made.intake.shut());
      return 1;
    };
    made.intake.receive(Buffer.from('ab'), ORIGIN_ELSEWHERE);
    expect(made.intake.isShut).toBe(true);
    made.intake.receive(Buffer.from('c'), ORIGIN_ELSEWHERE);
    made.clock.advance(TURN_MS);
    holds[0]!.release();
    holds[0]!.release();
    made.clock.advance(TURN_MS);
    expect([seen, made.intake.isShut]).toEqual([['ab'], true]);
    holds[1]!.release();
    expect([seen, made.intake.isShut]).toEqual([['ab'], false]);
    made.clock.advance(0);
    expect(seen).toEqual(['ab', 'b', 'c']);
    expect(made.events.filter((event) => event !== 'parser paused')).toEqual([
      'paused',
      'excused',
      'parser resumed',
      'resumed',
    ]);
  });

  it('waits for its password all the same', () => {
    const made = fixture();
    const seen: string[] = [];
    const hold = made.intake.shut();
    made.intake.hold();
    made.onParse = (chunk) => seen.push(chunk.toString());
    made.intake.receive(Buffer.from('a'), ORIGIN_ELSEWHERE);
    hold.release();
    made.clock.advance(0);
    expect(seen).toEqual([]);
    made.intake.release();
    expect(seen).toEqual(['a']);
  });

  it('goes on where it was when the hold comes in the middle of what was held', () => {
    const made = fixture();
    const seen: string[] = [];
    let hold = made.intake.shut();
    made.onParse = (chunk) => {
      seen.push(chunk.toString());
      hold = made.intake.shut();
      return 1;
    };
    made.intake.receive(Buffer.from('ab'), ORIGIN_ELSEWHERE);
    made.intake.receive(Buffer.from('c'), ORIGIN_ELSEWHERE);
    for (let i = 0; i < 3; i++) {
      hold.release();
      made.clock.advance(0);
    }
    expect(seen).toEqual(['ab', 'b', 'c']);
  });

  it('and is closed is not worked for any more', () => {
    const made = fixture();
    const hold = made.intake.shut();
    made.intake.receive(Buffer.from('a'), ORIGIN_ELSEWHERE);
    made.onParse = () => {
      throw new Error('parsed');
    };
    made.intake.stop();
    hold.release();
    made.clock.advance(0);
    expect(made.events.at(-1)).toBe('parser stopped');
    expect(made.clock.timerCount).toBe(0);
  });
});
