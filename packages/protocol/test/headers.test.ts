import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeStatus, findHeader, HeaderCursor, MsgHeaders, removeHeader, setHeader } from '../src/index.ts';

const BLOCK = 'NATS/1.0\r\nNats-Msg-Id: 1\r\nA:x\r\nB:   y z \r\nA: second\r\nnats-msg-id: lower\r\n\r\n';

function find(block: string, name: string): string | null {
  const padded = Buffer.from(`${name}: before\r\n${block}${name}: behind\r\n`);
  const start = name.length + 10;
  const range = findHeader(padded, start, start + block.length, Buffer.from(name));
  return range === null ? null : padded.toString('latin1', range.start, range.end);
}

describe('findHeader', () => {
  it('finds the first value by the exact name, without the blanks before it', () => {
    expect(find(BLOCK, 'Nats-Msg-Id')).toBe('1');
    expect(find(BLOCK, 'nats-msg-id')).toBe('lower');
    expect(find(BLOCK, 'A')).toBe('x');
    expect(find(BLOCK, 'B')).toBe('y z ');
  });

  it('finds nothing that is not a whole name at the start of a line behind the first', () => {
    for (const name of ['Nats-Msg', 'Msg-Id', 'C', 'NATS/1.0', 'x', 'second'])
      expect(find(BLOCK, name), name).toBeNull();
    expect(find('A: 1\r\n\r\n', 'A')).toBeNull();
    expect(find('NATS/1.0\r\nA : 1\r\n\r\n', 'A')).toBeNull();
    expect(find('NATS/1.0\nA: 1\n\n', 'A')).toBeNull();
  });

  it('copes with damaged blocks', () => {
    for (const block of [
      '',
      '\r',
      '\r\n',
      'NATS/1.0',
      'NATS/1.0\r\n',
      'NATS/1.0\r\nA',
      'NATS/1.0\r\n:',
      '\0\xff\r\n\r\n\r\nB',
    ]) {
      expect(find(block, 'A'), JSON.stringify(block)).toBeNull();
    }
    expect(find('NATS/1.0\r\nA:', 'A')).toBe('');
    expect(find('NATS/1.0\r\nA: open', 'A')).toBe('open');
    expect(find('garbage\r\n\r\nA: 1\r', 'A')).toBe('1\r');
  });
});

describe('HeaderCursor', () => {
  it('walks over the same headers that MsgHeaders decodes', () => {
    const bytes = Buffer.from(BLOCK);
    const cursor = new HeaderCursor();
    const seen: string[] = [];
    cursor.reset(bytes, 0, bytes.length);
    while (cursor.next()) {
      seen.push(
        `${bytes.toString('latin1', cursor.nameStart, cursor.nameEnd)}=${bytes.toString('latin1', cursor.valueStart, cursor.valueEnd)}`,
      );
    }
    expect(seen).toEqual(['Nats-Msg-Id=1', 'A=x', 'B=y z ', 'A=second', 'nats-msg-id=lower']);
    expect(
      MsgHeaders.decode(bytes, 0, bytes.length)
        .entries()
        .map(([name, value]) => `${name}=${value}`),
    ).toEqual(seen);
    expect(cursor.next()).toBe(false);
  });
});

describe('setHeader and removeHeader', () => {
  it('replace, add and remove on the raw block', () => {
    const block = Buffer.from('NATS/1.0\r\nA: 1\r\nB:2\r\n\r\n');
    expect(setHeader(block, 'A', 'longer').toString()).toBe('NATS/1.0\r\nA: longer\r\nB:2\r\n\r\n');
    expect(setHeader(block, 'B', '').toString()).toBe('NATS/1.0\r\nA: 1\r\nB:\r\n\r\n');
    expect(setHeader(block, 'C', '3').toString()).toBe('NATS/1.0\r\nA: 1\r\nB:2\r\nC: 3\r\n\r\n');
    expect(setHeader(Buffer.alloc(0), 'C', '3').toString()).toBe('NATS/1.0\r\nC: 3\r\n\r\n');
    expect(removeHeader(block, 'A')?.toString()).toBe('NATS/1.0\r\nB:2\r\n\r\n');
    expect(removeHeader(block, 'B')?.toString()).toBe('NATS/1.0\r\nA: 1\r\n\r\n');
    expect(removeHeader(block, 'C')).toBe(block);
    expect(block.toString()).toBe('NATS/1.0\r\nA: 1\r\nB:2\r\n\r\n');
  });

  it('remove all of several, also neighbours, and give null when none is left', () => {
    const block = Buffer.from('NATS/1.0 503 Gone\r\nA: 1\r\nA: 2\r\nB: 2\r\nA: 3\r\n\r\n');
    expect(removeHeader(block, 'A')?.toString()).toBe('NATS/1.0 503 Gone\r\nB: 2\r\n\r\n');
    expect(removeHeader(Buffer.from('NATS/1.0\r\nA: 1\r\nA: 2\r\n\r\n'), 'A')).toBeNull();
    expect(removeHeader(Buffer.from('NATS/1.0\r\nA: 1'), 'A')).toBeNull();
  });

  it('agree with the decoded form', () => {
    const name = fc.constantFrom('A', 'AA', 'B', 'Nats-X');
    const value = fc.string({ unit: fc.constantFrom('A', ':', 'x', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), name, value, (entries, key, fresh) => {
        const headers = new MsgHeaders();
        for (const [each, text] of entries) headers.append(each, text);
        const block = headers.encode();
        const has = headers.get(key) !== undefined;
        const decode = (bytes: Buffer | null): (readonly [string, string])[] =>
          bytes === null ? [] : [...MsgHeaders.decode(bytes, 0, bytes.length).entries()];
        expect(decode(block)).toEqual(entries);
        expect(decode(removeHeader(block, key))).toEqual(entries.filter((entry) => entry[0] !== key));
        const first = entries.findIndex((entry) => entry[0] === key);
        const expected = has ? entries.with(first, [key, fresh]) : [...entries, [key, fresh]];
        expect(decode(setHeader(block, key, fresh))).toEqual(expected);
      }),
    );
  });
});

describe('encodeStatus', () => {
  it('writes status, description and headers', () => {
    expect(encodeStatus(404, 'No Messages').toString()).toBe('NATS/1.0 404 No Messages\r\n\r\n');
    expect(encodeStatus(503, '', [['Nats-Subject', 'foo']]).toString()).toBe(
      'NATS/1.0 503\r\nNats-Subject: foo\r\n\r\n',
    );
  });
});

describe('MsgHeaders', () => {
  it('reads and writes status and description', () => {
    for (const block of [
      'NATS/1.0 409 Consumer Deleted\r\n\r\n',
      'NATS/1.0 503\r\nNats-Subject: a\r\n\r\n',
      'NATS/1.0\r\nA: \r\n\r\n',
    ]) {
      const bytes = Buffer.from(block);
      expect(MsgHeaders.decode(bytes, 0, bytes.length).encode().toString()).toBe(block);
    }
    const headers = MsgHeaders.decode(Buffer.from('NATS/1.0 409 Consumer Deleted\r\n\r\n'), 0, 33);
    expect([headers.status, headers.description, headers.size]).toEqual([409, 'Consumer Deleted', 0]);
  });

  it('keeps order and repetition, and compares names exactly', () => {
    const headers = new MsgHeaders();
    headers.append('A', '1');
    headers.append('B', '2');
    headers.append('A', '3');
    expect([headers.get('A'), headers.get('a'), headers.values('A'), headers.size]).toEqual([
      '1',
      undefined,
      ['1', '3'],
      3,
    ]);
    headers.set('A', '4');
    expect(headers.encode().toString()).toBe('NATS/1.0\r\nB: 2\r\nA: 4\r\n\r\n');
    expect([headers.delete('A'), headers.delete('A')]).toEqual([true, false]);
  });

  it('refuses names and values that would break the block', () => {
    const headers = new MsgHeaders();
    for (const name of ['', 'a:b', 'a\r', 'a\n']) expect(() => headers.append(name, 'x')).toThrow('header name');
    for (const value of ['\r', 'a\nb']) expect(() => headers.set('A', value)).toThrow('value of header A');
    expect(headers.size).toBe(0);
    headers.append('A', 'kept');
    expect(() => headers.set('A', '\n')).toThrow('value of header A');
    expect(headers.get('A')).toBe('kept');
  });

  it('gives back bytes that are not UTF-8', () => {
    const block = Buffer.from('NATS/1.0\r\nA: \xff\x80\r\n\r\n', 'latin1');
    expect(MsgHeaders.decode(block, 0, block.length).encode()).toEqual(block);
  });
});
