import { describe, expect, it } from 'vitest';
import { ServerParser } from '../src/index.ts';
import { cut, everyByte, LIMITS, Recorder } from './recorder.ts';

const INPUTS = 20_000;
const SEED = 0x5eed;
const FUZZ_LIMITS = { ...LIMITS, maxControlLine: 64, maxPayload: 256 };

const SEEDS = [
  'CONNECT {"verbose":false,"headers":true}\r\nPING\r\n',
  'PUB a 2\r\nhi\r\nPUB b reply 5\r\nhello\r\n',
  'HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB a r 0 0\r\n\r\n',
  'SUB a.*.> q 1\r\nUNSUB 1 5\r\nSUB b 2\r\n',
  "PONG\r\n+OK\r\nINFO {}\r\n-ERR 'x'\r\n",
  'pub\ta  000000003 \nabc\r\nping junk\n',
  `SUB ${'s'.repeat(60)} 1\r\nPUB x 250\r\n${'p'.repeat(250)}\r\n`,
].map((text) => Buffer.from(text));

const SNIPPETS = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  'PUB ',
  'HPUB ',
  '99',
  '9',
  '-1',
  '0',
  '\0',
  '\xff',
  'SUB ',
  '{',
  'PING\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** A small generator of repeatable numbers (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One to four seeds after one another, with up to five bytes changed, removed, doubled or put in, or a size replaced. */
function mutate(random: (below: number) => number): Buffer {
  let bytes = Buffer.concat(Array.from({ length: 1 + random(4) }, () => SEEDS[random(SEEDS.length)]!));
  for (let n = random(6); n > 0; n--) {
    const at = random(bytes.length);
    const before = bytes.subarray(0, at);
    const kind = random(5);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes = Buffer.concat([before, bytes.subarray(at + 1 + random(4))]);
    else if (kind === 2) bytes = Buffer.concat([before, SNIPPETS[random(SNIPPETS.length)]!, bytes.subarray(at)]);
    else if (kind === 3) bytes = Buffer.concat([before, bytes.subarray(Math.max(0, at - random(20)))]);
    else bytes = Buffer.from(bytes.toString('latin1').replace(/\d+\r/, `${random(400)}\r`), 'latin1');
    if (bytes.length === 0) break;
  }
  return bytes;
}

/** Parses in pieces; memory held never exceeds one control line or one message. */
function run(input: Buffer, cuts: readonly number[]): unknown[][] {
  const recorder = new Recorder();
  const parser = new ServerParser(recorder, { ...FUZZ_LIMITS });
  for (const chunk of cut(input, cuts)) {
    parser.parse(chunk);
    const most = FUZZ_LIMITS.maxControlLine + FUZZ_LIMITS.maxPayload + 4;
    if (parser.heldBytes > most) throw new Error(`holds ${parser.heldBytes} bytes`);
    if (parser.failed && parser.heldBytes > 0) throw new Error('holds bytes after a violation');
  }
  return recorder.calls;
}

describe('ServerParser under 20 000 damaged inputs', () => {
  it('never throws, stays within its memory, and gives the same wherever the input is cut', () => {
    const random = generator(SEED);
    const outcomes = new Map<string, number>();
    for (let n = 0; n < INPUTS; n++) {
      const input = mutate(random);
      const whole = JSON.stringify(run(input, []));
      const cuts = n % 10 === 0 ? everyByte(input) : [random(input.length + 1), random(input.length + 1)];
      const pieces = JSON.stringify(run(input, cuts));
      if (whole !== pieces) expect({ input: input.toString('latin1'), cuts, calls: pieces }).toEqual({ calls: whole });
      const kind = /"violation","([^"]+)"/.exec(whole)?.[1] ?? 'accepted';
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    }
    // The damage reaches every kind of refusal, and does not only make garbage.
    expect([...outcomes.keys()].sort()).toEqual(['accepted', 'argument', 'control-line', 'max-payload', 'parse']);
    for (const [kind, count] of outcomes) expect(count, kind).toBeGreaterThan(100);
  });
});
