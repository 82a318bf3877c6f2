import fc from 'fast-check';

/** Bytes of a token: anything but blanks and line ends, short or long. */
const token: fc.Arbitrary<Buffer> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }).map((s) => Buffer.from(s)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.nat(999_999_999).map((n) => Buffer.from(String(n))) },
  )
  .map((bytes) => Buffer.from(bytes.map((byte) => ([0x20, 0x09, 0x0a, 0x0d].includes(byte) ? 0x78 : byte))));

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(3000).map((length) => Buffer.alloc(length, 'PUB a 3\r\n')),
);

const blanks = fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' \t ');
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\n');

/** Bytes on the wire and what the recorder of the tests must write down for them. */
export interface WireOperation {
  readonly wire: Buffer;
  readonly call: readonly unknown[];
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

function joined(verb: string, args: (Buffer | string)[], gaps: string[], end: string, body?: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(verb)];
  args.forEach((arg, i) => {
    parts.push(Buffer.from(gaps[i] ?? ' '), typeof arg === 'string' ? Buffer.from(arg) : arg);
  });
  parts.push(Buffer.from(end));
  if (body !== undefined) parts.push(body, Buffer.from('\r\n'));
  return Buffer.concat(parts);
}

const gaps = fc.array(blanks, { minLength: 5, maxLength: 5 });

const publish: fc.Arbitrary<WireOperation> = fc
  .record({
    verb: fc.constantFrom('PUB', 'pub', 'Pub'),
    subject: token,
    reply: fc.option(token),
    body: payload,
    zeros: fc.nat(3),
    gaps,
    end: lineEnd,
  })
  .map(({ verb, subject, reply, body, zeros, gaps: between, end }) => {
    const size = '0'.repeat(zeros) + body.length;
    const args = reply === null ? [subject, size] : [subject, reply, size];
    const recorded = {
      subject: latin1(subject),
      reply: reply && latin1(reply),
      sizes: size,
      headerSize: -1,
      payload: latin1(body),
    };
    return { wire: joined(verb, args, between, end, body), call: ['publish', recorded] };
  });

const headerPublish: fc.Arbitrary<WireOperation> = fc
  .record({ subject: token, reply: fc.option(token), header: payload, body: payload, gaps, end: lineEnd })
  .map(({ subject, reply, header, body, gaps: between, end }) => {
    const sizes = [String(header.length), String(header.length + body.length)];
    const args = reply === null ? [subject, ...sizes] : [subject, reply, ...sizes];
    const whole = Buffer.concat([header, body]);
    const recorded = {
      subject: latin1(subject),
      reply: reply && latin1(reply),
      sizes: sizes.join(' '),
      headerSize: header.length,
      payload: latin1(whole),
    };
    return { wire: joined('HPUB', args, between, end, whole), call: ['publish', recorded] };
  });

const sid = fc.string({ unit: fc.constantFrom(...'0123456789abc'), minLength: 1, maxLength: 6 });
const name = fc.string({ unit: fc.constantFrom(...'abc.*>-_é日'), minLength: 1, maxLength: 12 });

const subscribe: fc.Arbitrary<WireOperation> = fc
  .record({ subject: name, queue: fc.option(name), sid, gaps, end: lineEnd })
  .map(({ subject, queue, sid: id, gaps: between, end }) => ({
    wire: joined('SUB', queue === null ? [subject, id] : [subject, queue, id], between, end),
    call: ['subscribe', subject, queue, id],
  }));

const unsubscribe: fc.Arbitrary<WireOperation> = fc
  .record({ sid, max: fc.option(fc.nat(999_999_999)), gaps, end: lineEnd })
  .map(({ sid: id, max, gaps: between, end }) => ({
    wire: joined('UNSUB', max === null ? [id] : [id, String(max)], between, end),
    call: ['unsubscribe', id, max ?? 0],
  }));

const json = fc.string({ maxLength: 30 }).map((text) => JSON.stringify({ name: text }));

const rest: fc.Arbitrary<WireOperation> = fc.oneof(
  fc
    .tuple(json, blanks)
    .map(([text, gap]) => ({ wire: Buffer.from(`CONNECT${gap}${text}\r\n`), call: ['connect', text] })),
  lineEnd.map((end) => ({ wire: Buffer.from(`PING${end}`), call: ['ping'] })),
  lineEnd.map((end) => ({ wire: Buffer.from(`PONG${end}`), call: ['pong'] })),
);

/** One valid operation of a client. */
export const operation: fc.Arbitrary<WireOperation> = fc.oneof(
  { weight: 4, arbitrary: publish },
  { weight: 3, arbitrary: headerPublish },
  { weight: 1, arbitrary: subscribe },
  { weight: 1, arbitrary: unsubscribe },
  { weight: 2, arbitrary: rest },
);

/** Places to cut an input of unknown length, as fractions. */
export const fractions: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 12,
});

/** Fractions as offsets into `bytes`. */
export function cutsFor(bytes: Buffer, places: readonly number[]): number[] {
  return places.map((place) => Math.floor(place * bytes.length));
}
