import { describe, expect, it } from 'vitest';
import { RareWarnings, REPEAT_AFTER_MS, WARNINGS_MAX } from '../../src/api/rare-warnings.ts';
import { ManualClock } from '../manual-clock.ts';

function open(): { clock: ManualClock; lines: string[]; warnings: RareWarnings } {
  const clock = new ManualClock();
  const lines: string[] = [];
  const nothing = (): void => {};
  const log = { error: nothing, warn: (text: string): void => void lines.push(text), info: nothing, debug: nothing };
  return { clock, lines, warnings: new RareWarnings(log, clock) };
}

describe('RareWarnings', () => {
  it('logs a text once, and again when it is old', () => {
    const { clock, lines, warnings } = open();
    warnings.warn('a');
    clock.advance(REPEAT_AFTER_MS - 1);
    warnings.warn('a');
    warnings.warn('b');
    expect(lines).toEqual(['a', 'b']);
    clock.advance(1);
    warnings.warn('a');
    warnings.warn('b');
    expect(lines).toEqual(['a', 'b', 'a']);
  });

  it('remembers a bounded number of texts and stays silent beyond it', () => {
    const { clock, lines, warnings } = open();
    for (let i = 0; i < WARNINGS_MAX + 5; i++) warnings.warn(`${i}`);
    expect(lines.length).toBe(WARNINGS_MAX);
    clock.advance(REPEAT_AFTER_MS);
    warnings.warn('new');
    expect(lines.at(-1)).toBe('new');
  });
});
