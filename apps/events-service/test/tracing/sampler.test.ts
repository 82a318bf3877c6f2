import type { TraceSampler } from '@nats-ts/config';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { TraceChooser } from '../../src/tracing/sampler.ts';

const LOW = `${'f'.repeat(16)}0000000000000001`;
const MIDDLE = `${'0'.repeat(16)}7fffffffffffffff`;
const HIGH = `${'0'.repeat(16)}ffffffffffffffff`;

function keeps(name: TraceSampler, ratio: number, traceId: string, parentFlags: number | null = null): boolean {
  const parent = { traceId, spanId: 'b7ad6b7169203331', traceFlags: parentFlags ?? 0 };
  const context = parentFlags === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  return new TraceChooser(name, ratio).shouldSample(context, traceId).decision === 2;
}

describe('a trace that begins here', () => {
  it.each([
    ['always_on', 0, LOW, true],
    ['always_off', 1, LOW, false],
    ['traceidratio', 1, HIGH, true],
    ['traceidratio', 0, LOW, false],
    ['traceidratio', 0.5, LOW, true],
    ['traceidratio', 0.5, MIDDLE, true],
    ['traceidratio', 0.5, HIGH, false],
    ['traceidratio', 0.49, MIDDLE, false],
    ['parentbased_always_on', 0, HIGH, true],
    ['parentbased_always_off', 1, LOW, false],
    ['parentbased_traceidratio', 0.5, HIGH, false],
    ['parentbased_traceidratio', 0.5, LOW, true],
  ] as const)('%s with %d keeps %s: %s', (name, ratio, traceId, kept) => {
    expect(keeps(name, ratio, traceId)).toBe(kept);
  });
});

describe('a trace that began elsewhere', () => {
  it('is kept as its beginner has decided, by the parentbased samplers', () => {
    for (const name of ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const) {
      expect(keeps(name, 0.5, HIGH, 1)).toBe(true);
      expect(keeps(name, 0.5, LOW, 0)).toBe(false);
    }
  });

  it('is chosen anew by the others', () => {
    expect(keeps('always_on', 1, LOW, 0)).toBe(true);
    expect(keeps('always_off', 1, LOW, 1)).toBe(false);
    expect(keeps('traceidratio', 0.5, HIGH, 1)).toBe(false);
  });
});
