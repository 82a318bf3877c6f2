import fc from 'fast-check';
import { expect, it } from 'vitest';
import { storedConfig } from '../../src/account.ts';
import { ApiError } from '../../src/errors/api-error.ts';
import { type CheckedConfig, checkWithDefaults } from '../../src/stream/config-defaults.ts';
import type { RawStreamConfig } from '../../src/stream/config-schema.ts';

const RULES = { duplicateWindowMaxNs: 0, maxBytesRequired: false, maxStreamBytes: { file: -1, memory: -1 } };
const durations = fc.integer({ min: 1, max: 10_000 }).map((tenths) => tenths * 100_000_000);
const limits = {
  max_age: fc.oneof(fc.constant(0), durations),
  max_bytes: fc.oneof(fc.constantFrom(0, -1, -7), fc.integer({ min: 1 })),
  duplicate_window: fc.oneof(fc.constant(0), durations),
  sealed: fc.boolean(),
};
const requests = fc.record(limits, { requiredKeys: [] }).map((given): RawStreamConfig => ({ name: 'S', ...given }));
const defaults = fc.record({ maxAgeNs: fc.oneof(fc.constant(0), durations), maxBytes: fc.nat() }, { requiredKeys: [] });

function check(raw: RawStreamConfig, given: Parameters<typeof checkWithDefaults>[2]): CheckedConfig | null {
  try {
    return checkWithDefaults(raw, RULES, given);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

it('a stream is the same after a restart as it was created, with any defaults', () => {
  fc.assert(
    fc.property(requests, defaults, (raw, given) => {
      const created = check(raw, given);
      if (created === null) return;
      const stored = storedConfig(created.own) as RawStreamConfig;
      expect(check(stored, given)?.effective).toEqual(created.effective);
    }),
  );
});

it('what is stored is what would be without defaults, and no default makes a valid request invalid', () => {
  fc.assert(
    fc.property(requests, defaults, (raw, given) => {
      const plain = check(raw, undefined);
      const filled = check(raw, given);
      expect(filled?.own).toEqual(plain?.own);
      if (plain !== null) expect(filled).not.toBeNull();
    }),
  );
});

it('a limit of the client is never replaced', () => {
  fc.assert(
    fc.property(requests, defaults, (raw, given) => {
      const checked = check(raw, given);
      if (checked === null) return;
      if ((raw.max_age ?? 0) > 0) expect(checked.effective.max_age).toBe(raw.max_age);
      if ((raw.max_bytes ?? 0) > 0) expect(checked.effective.max_bytes).toBe(raw.max_bytes);
    }),
  );
});
