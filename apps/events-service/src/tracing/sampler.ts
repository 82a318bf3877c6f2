import type { TraceSampler } from '@nats-ts/config';
import { type Context, TraceFlags, trace } from '@opentelemetry/api';
import type { Sampler, SamplingResult } from './otel-types.ts';

// SamplingDecision of the SDK, which keeps the enum to itself.
const DROP = { decision: 0 as SamplingResult['decision'] };
const KEEP = { decision: 2 as SamplingResult['decision'] };

/** Hexadecimal digits of a trace id that decide over it, and how many values they have. */
const DECIDING_DIGITS: readonly [from: number, to: number] = [16, 29];
const DECIDING_VALUES = 16 ** 13;

/**
 * Decides which traces are kept. With `parentbased_…` whoever began the trace has decided, if that was somebody else.
 * The ratio looks at the digits of the trace id that OpenTelemetry for Go looks at, so that services agree.
 */
export class TraceChooser implements Sampler {
  readonly #name: TraceSampler;
  readonly #ratio: number;
  readonly #followsParent: boolean;

  constructor(name: TraceSampler, ratio: number) {
    this.#name = name;
    this.#followsParent = name.startsWith('parentbased_');
    const root = this.#followsParent ? name.slice('parentbased_'.length) : name;
    this.#ratio = root === 'always_on' ? 1 : root === 'always_off' ? 0 : ratio;
  }

  shouldSample(context: Context, traceId: string): SamplingResult {
    if (this.#followsParent) {
      const parent = trace.getSpanContext(context);
      if (parent !== undefined && trace.isSpanContextValid(parent)) {
        return (parent.traceFlags & TraceFlags.SAMPLED) === 0 ? DROP : KEEP;
      }
    }
    if (this.#ratio >= 1) return KEEP;
    return Number.parseInt(traceId.slice(...DECIDING_DIGITS), 16) < this.#ratio * DECIDING_VALUES ? KEEP : DROP;
  }

  toString(): string {
    return `${this.#name}{${this.#ratio}}`;
  }
}
