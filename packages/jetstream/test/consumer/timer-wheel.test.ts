import { describe, expect, it } from 'vitest';
import { TimerWheel, WheelNode } from '../../src/consumer/timer-wheel.ts';
import { ManualClock } from '../manual-clock.ts';

class Probe extends WheelNode {
  readonly name: string;
  readonly #log: string[];
  readonly #then: ((nowMs: number) => void) | null;

  constructor(name: string, log: string[], then: ((nowMs: number) => void) | null = null) {
    super();
    this.name = name;
    this.#log = log;
    this.#then = then;
  }

  onDue(nowMs: number): void {
    this.#log.push(`${this.name}@${nowMs}`);
    this.#then?.(nowMs);
  }
}

function setUp(startMs = 1000) {
  const clock = new ManualClock(startMs);
  return { clock, wheel: new TimerWheel(clock), log: [] as string[] };
}

describe('the timer wheel', () => {
  it('calls each node at its millisecond, however far away', () => {
    const { clock, wheel, log } = setUp();
    for (const delayMs of [1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 40_000_000, 2_000_000_000]) {
      wheel.arm(new Probe(String(delayMs), log), 1000 + delayMs);
    }
    clock.advance(3_000_000_000);
    expect(log).toEqual(
      [1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 40_000_000, 2_000_000_000].map(
        (delayMs) => `${delayMs}@${1000 + delayMs}`,
      ),
    );
    expect(wheel.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('calls nodes of the same millisecond in the order they were armed', () => {
    const { clock, wheel, log } = setUp();
    for (const name of ['a', 'b', 'c']) wheel.arm(new Probe(name, log), 1500);
    clock.advance(500);
    expect(log).toEqual(['a@1500', 'b@1500', 'c@1500']);
  });

  it('calls what is due in the past in the next millisecond', () => {
    const { clock, wheel, log } = setUp();
    wheel.arm(new Probe('late', log), 10);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual(['late@1001']);
  });

  it('does not call a node that was disarmed, also by a node called before it', () => {
    const { clock, wheel, log } = setUp();
    const second = new Probe('second', log);
    wheel.arm(new Probe('first', log, () => wheel.disarm(second)), 1010);
    wheel.arm(second, 1010);
    const third = new Probe('third', log);
    wheel.arm(third, 1020);
    wheel.disarm(third);
    clock.advance(100);
    expect(log).toEqual(['first@1010']);
  });

  it('moves a node that is armed again', () => {
    const { clock, wheel, log } = setUp();
    const node = new Probe('node', log);
    wheel.arm(node, 1010);
    wheel.arm(node, 1030);
    expect(wheel.size).toBe(1);
    clock.advance(20);
    expect(log).toEqual([]);
    clock.advance(10);
    expect(log).toEqual(['node@1030']);
  });

  it('lets a node arm itself again from its own call', () => {
    const { clock, wheel, log } = setUp();
    const node: Probe = new Probe('tick', log, (nowMs) => {
      if (log.length < 3) wheel.arm(node, nowMs + 100);
    });
    wheel.arm(node, 1100);
    clock.advance(1000);
    expect(log).toEqual(['tick@1100', 'tick@1200', 'tick@1300']);
  });

  it('uses one timer of the host for any number of nodes', () => {
    const { clock, wheel, log } = setUp();
    for (let at = 0; at < 1000; at++) wheel.arm(new Probe('n', log), 1000 + 7 * (1000 - at));
    expect(clock.timers).toBe(1);
  });

  it('places nodes rightly after it stood empty for a long time', () => {
    const { clock, wheel, log } = setUp();
    wheel.arm(new Probe('a', log), 1001);
    clock.advance(1_000_000);
    wheel.arm(new Probe('b', log), clock.now() + 5);
    clock.advance(5);
    expect(log).toEqual(['a@1001', 'b@1001005']);
  });

  it('tells listeners once, after all nodes of a tick', () => {
    const { clock, wheel, log } = setUp();
    const listener = { onTickEnd: (nowMs: number) => log.push(`end@${nowMs}`) };
    wheel.arm(new Probe('a', log, () => wheel.afterTick(listener)), 1010);
    wheel.arm(new Probe('b', log), 1010);
    clock.advance(50);
    expect(log).toEqual(['a@1010', 'b@1010', 'end@1010']);
  });

  it('never asks the host for a timer that is longer than the host can run', () => {
    const delays: number[] = [];
    const wheel = new TimerWheel({
      now: () => 0,
      setTimer: (_callback, delayMs) => {
        delays.push(delayMs);
        return { cancel() {} };
      },
    });
    wheel.arm(new Probe('far', []), 10 ** 12);
    expect(delays).toEqual([2 ** 31 - 1]);
  });
});
