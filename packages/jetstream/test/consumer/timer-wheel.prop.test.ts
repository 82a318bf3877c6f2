import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TimerWheel, WheelNode } from '../../src/consumer/timer-wheel.ts';
import { ManualClock } from '../manual-clock.ts';

class Probe extends WheelNode {
  firedAtMs = -1;

  onDue(nowMs: number): void {
    this.firedAtMs = nowMs;
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('arm' as const), node: fc.nat(9), delayMs: fc.oneof(fc.nat(200), fc.nat(300_000)) }),
  fc.record({ kind: fc.constant('disarm' as const), node: fc.nat(9) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.oneof(fc.nat(100), fc.nat(100_000)) }),
);

it('fires every armed node exactly at its time, whatever was armed, moved and disarmed around it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(5000), (steps, startMs) => {
      const clock = new ManualClock(startMs);
      const wheel = new TimerWheel(clock);
      const nodes = Array.from({ length: 10 }, () => new Probe());
      const dueMs = new Map<Probe, number>();
      for (const one of steps) {
        if (one.kind === 'arm') {
          const node = nodes[one.node]!;
          wheel.arm(node, clock.now() + one.delayMs);
          node.firedAtMs = -1;
          dueMs.set(node, clock.now() + Math.max(1, one.delayMs));
        } else if (one.kind === 'disarm') {
          wheel.disarm(nodes[one.node]!);
          dueMs.delete(nodes[one.node]!);
        } else {
          clock.advance(one.ms);
          for (const [node, at] of dueMs) {
            if (at > clock.now()) {
              expect(node.isArmed).toBe(true);
              continue;
            }
            expect(node.firedAtMs).toBe(at);
            dueMs.delete(node);
          }
        }
        expect(wheel.size).toBe(dueMs.size);
      }
    }),
    { numRuns: 300 },
  );
});
