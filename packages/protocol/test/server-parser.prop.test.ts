import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientParser, msgHeadBytesMax, type PublishArgs, ServerParser, writeMsgHead } from '../src/index.ts';
import { cutsFor, fractions, operation } from './arbitraries.ts';
import { cut, everyByte, LIMITS, parseAll, Recorder, recordPublish, ServerRecorder } from './recorder.ts';

describe('ServerParser', () => {
  it('reads back any sequence of operations, cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 8 }), fractions, (operations, places) => {
        const input = Buffer.concat(operations.map((one) => one.wire));
        const expected = operations.map((one) => one.call);
        expect(parseAll(input).calls).toEqual(expected);
        expect(parseAll(input, {}, cutsFor(input, places)).calls).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same in memory that is used again', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 8 }), fractions, (operations, places) => {
        const input = Buffer.concat(operations.map((one) => one.wire));
        const recorder = new Recorder();
        const memory = Buffer.alloc(4096, 0xee);
        const parser = new ServerParser(
          recorder,
          { ...LIMITS },
          {
            take: (bytes) => (bytes > memory.length ? null : memory.subarray(0, bytes)),
            give: (frame) => frame.fill(0xee),
          },
        );
        for (const chunk of cut(input, cutsFor(input, places))) parser.parse(chunk);
        expect(recorder.calls).toEqual(operations.map((one) => one.call));
        expect(memory.every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same with every single cut and with one byte at a time', () => {
    fc.assert(
      fc.property(operation, operation, (first, second) => {
        const input = Buffer.concat([first.wire, second.wire]);
        const expected = [first.call, second.call];
        for (const at of everyByte(input).slice(0, 150)) expect(parseAll(input, {}, [at]).calls).toEqual(expected);
        expect(parseAll(input, {}, everyByte(input)).calls).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it('hands over messages that, written as MSG and HMSG, the client side reads back', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), fractions, fc.boolean(), (operations, places, headers) => {
        const sent: ReturnType<typeof recordPublish>[] = [];
        const out: Buffer[] = [];
        const recorder = new Recorder();
        recorder.onPublish = (args) => {
          sent.push(recordPublish(args));
          out.push(...encodeMessage(args, headers));
        };
        const input = Buffer.concat(operations.map((one) => one.wire));
        const parser = new ServerParser(recorder, { ...LIMITS });
        for (const chunk of cut(input, cutsFor(input, places))) parser.parse(chunk);
        const received = new ServerRecorder();
        const client = new ClientParser(received);
        const answer = Buffer.concat(out);
        for (const chunk of cut(answer, cutsFor(answer, places))) client.parse(chunk);
        expect(received.calls).toEqual(sent.map((message) => ['message', asReceived(message, headers)]));
      }),
      { numRuns: 200 },
    );
  });
});

const SID = Buffer.from('12');

function encodeMessage(args: PublishArgs, headers: boolean): Buffer[] {
  const room = msgHeadBytesMax(args, SID.length);
  const head = Buffer.alloc(room + 8, 0xee);
  const end = writeMsgHead(head, 4, args, SID, headers);
  expect(end - 4).toBeLessThanOrEqual(room);
  const from = args.payloadStart + (headers ? 0 : Math.max(args.headerSize, 0));
  return [head.subarray(4, end), Buffer.from(args.buffer.subarray(from, args.payloadEnd)), Buffer.from('\r\n')];
}

function asReceived(message: ReturnType<typeof recordPublish>, headers: boolean): object {
  const { subject, reply, headerSize, payload } = message;
  if (headerSize <= 0) return { subject, sid: '12', reply, headerSize: -1, payload };
  if (headers) return { subject, sid: '12', reply, headerSize, payload };
  return { subject, sid: '12', reply, headerSize: -1, payload: payload!.slice(headerSize) };
}
