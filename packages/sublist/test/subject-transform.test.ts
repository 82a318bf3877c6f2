import { describe, expect, it } from 'vitest';
import { SubjectTransform, TransformError } from '../src/index.ts';

const random = (): number => 0.5;

function transform(source: string, destination: string, subject: string): string | null {
  return SubjectTransform.create(source, destination, { random }).apply(subject);
}

function errorOf(source: string, destination: string, strict = false): unknown {
  try {
    SubjectTransform.create(source, destination, { random, strict });
  } catch (error) {
    return error;
  }
  return null;
}

/** One token through one function. */
function mapToken(call: string, token: string): string | null {
  return transform('in.*', `out.${call}`, `in.${token}`)?.slice('out.'.length) ?? null;
}

describe('wildcards of the source', () => {
  it.each([
    ['a.*.*', 'b.$2.$1', 'a.x.y', 'b.y.x'],
    ['a.*.*', 'b.{{wildcard(2)}}.{{ Wildcard ( 1 ) }}', 'a.x.y', 'b.y.x'],
    ['a.*.*', 'b.$2', 'a.x.y', 'b.y'],
    ['a.*', 'b', 'a.x', 'b'],
    ['a.*', 'b.$1.$1', 'a.x', 'b.x.x'],
    ['*.a.*', '$2.$1', 'x.a.y', 'y.x'],
    ['a', 'b.c', 'a', 'b.c'],
    // As nats-server: numbers below one are the first token of the subject.
    ['a.*', 'b.$0.{{wildcard(-1)}}', 'a.x', 'b.a.a'],
  ])('%s to %s turns %s into %s', (source, destination, subject, expected) => {
    expect(transform(source, destination, subject)).toBe(expected);
  });

  it.each(['$', '$x', '$1x', '{{}}', '{{wildcard(1)', 'wildcard(1)}}', 'x{{wildcard(1)}}', '**', '>x'])(
    'leaves the destination token %s as it stands',
    (token) => {
      expect(mapToken(token, 'y')).toBe(token);
    },
  );

  it.each([
    ['a.>', 'b.>', 'a.x.y', 'b.x.y'],
    ['a.>', '>', 'a.x.y', 'x.y'],
    ['>', 'b.>', 'x.y', 'b.x.y'],
    ['', 'b.>', 'x.y', 'b.x.y'],
    ['a.*.>', 'b.$1.c.>', 'a.x.y.z', 'b.x.c.y.z'],
    ['>', '>', 'x.y', 'x.y'],
  ])('%s to %s carries the tail of %s over: %s', (source, destination, subject, expected) => {
    expect(transform(source, destination, subject)).toBe(expected);
  });

  it('leaves every subject as it is when there is no destination', () => {
    expect(transform('a', '', 'x.y')).toBe('x.y');
  });

  it.each(['b.x', 'a', 'a.x.y', 'a..', 'a.', '', 'a.*', 'a.>'])('does not apply to %j', (subject) => {
    expect(transform('a.*', 'b.$1', subject)).toBeNull();
  });

  it('can be applied again and again', () => {
    const transform = SubjectTransform.create('a.*.>', 'b.{{wildcard(1)}}.>', { random });
    expect(transform.apply('a.x.y.z')).toBe('b.x.y.z');
    expect(transform.apply('a.v.w')).toBe('b.v.w');
    expect(transform.isRandom).toBe(false);
    expect([transform.source, transform.destination]).toEqual(['a.*.>', 'b.{{wildcard(1)}}.>']);
  });
});

// Expected values: observed on nats-server 2.15.1 (spec/core.md 11).
describe('functions', () => {
  it.each([
    ['{{partition(10,1)}}', 'abc', '1'],
    ['{{Partition(10,1)}}', 'foo', '3'],
    ['{{partition(0,1)}}', 'abc', '0'],
    ['{{partition(0)}}', 'abc', '0'],
    ['{{splitFromLeft(1,3)}}', 'abcdef', 'abc.def'],
    ['{{SplitFromLeft(1,3)}}', 'abc', 'abc'],
    ['{{Splitfromright(1,2)}}', 'abcdef', 'abcd.ef'],
    ['{{SplitFromRight(1,9)}}', 'abcdef', 'abcdef'],
    ['{{SliceFromLeft(1,3)}}', 'abcdefgh', 'abc.def.gh'],
    ['{{SliceFromLeft(1,4)}}', 'abcdefgh', 'abcd.efgh'],
    ['{{sliceFromRight(1,3)}}', 'abcdefgh', 'ab.cde.fgh'],
    ['{{sliceFromRight(1,4)}}', 'abcdefgh', 'abcd.efgh'],
    ['{{sliceFromRight(1,0)}}', 'abcdefgh', 'abcdefgh'],
    ['{{sliceFromLeft(1,-1)}}', 'abcdefgh', 'abcdefgh'],
    ['{{Split(1,-)}}', '-a-b--c-', 'a.b.c'],
    ['{{split(1,-)}}', 'abc', 'abc'],
    ['{{split(1,--)}}', 'a--b-c', 'a.b-c'],
    ['{{split(1,-)}}', '--a', '.a'],
    ['{{split(1,)}}', 'aö', 'a.ö'],
    ['{{left(1,2)}}', 'abc', 'ab'],
    ['{{Left(1,3)}}', 'abc', 'abc'],
    ['{{right(1,2)}}', 'abc', 'bc'],
    ['{{ right ( 1 , 2 ) }}', 'abc', 'bc'],
    ['{{random(4)}}', 'abc', '2'],
    ['{{Random(0)}}', 'abc', '0'],
    ['{{random(-4)}}', 'abc', '2'],
  ])('%s turns %s into %s', (call, token, expected) => {
    expect(mapToken(call, token)).toBe(expected);
  });

  it('partition hashes the chosen tokens without separator, or the whole subject', () => {
    expect(transform('p.*.*', 'q.{{partition(5,1,2)}}', 'p.a.b')).toBe('q.1');
    expect(transform('p.*.*', 'q.{{partition(5,2,1)}}', 'p.b.a')).toBe('q.1');
    expect(transform('p3.*.*.*', 'q.{{partition(7)}}', 'p3.x.y.z')).toBe('q.0');
    expect(transform('lit', 'q.{{partition(4)}}', 'lit')).toBe('q.2');
    expect(transform('lit', 'q.{{partition(4,1)}}', 'lit')).toBe('q.2');
  });

  it('partition hashes bytes, not characters', () => {
    // FNV-1a of 67 72 c3 b6 c3 9f 65 is 0xcd38f49a.
    expect(mapToken('{{partition(2147483647,1)}}', 'größe')).toBe(String(0xcd38f49a % 2147483647));
  });

  it('positions are byte offsets, and a cut character keeps its bytes', () => {
    expect(mapToken('{{left(1,4)}}', 'größe')).toBe('grö');
    // ö is c3 b6; a byte that is no character of its own is the lone surrogate U+DC00 + byte.
    expect(mapToken('{{splitFromLeft(1,3)}}', 'größe')).toBe('gr\udcc3.\udcb6ße');
    expect(mapToken('{{right(1,4)}}', 'a😀')).toBe('😀');
    expect(mapToken('{{sliceFromLeft(1,3)}}', '日本')).toBe('日.本');
    expect(mapToken('{{left(1,2)}}', '\udcff\udcfe\udcfd')).toBe('\udcff\udcfe');
  });

  it.each([
    ['a character in more bytes than it needs', '\udcc0\udc80'],
    ['three bytes for two', '\udce0\udc80\udc80'],
    ['four bytes for three', '\udcf0\udc80\udc80\udc80'],
    ['half a surrogate pair', '\udced\udca0\udc80'],
    ['a character beyond Unicode', '\udcf4\udc90\udc80\udc80'],
    ['a byte that starts nothing', '\udcff\udcc1'],
    ['a character cut short', '\udce6\udc97'],
  ])('keep bytes that are no UTF-8: %s', (_, bytes) => {
    expect(mapToken(`{{left(1,${bytes.length})}}`, `${bytes}x`)).toBe(bytes);
  });

  it('says that random results must not be cached', () => {
    expect(SubjectTransform.create('a', '{{random(2)}}', { random }).isRandom).toBe(true);
    const values = [0, 0.999_999];
    const transform = SubjectTransform.create('a', '{{random(3)}}', { random: () => values.shift()! });
    expect([transform.apply('a'), transform.apply('a')]).toEqual(['0', '2']);
  });

  it('may stand beside each other', () => {
    const destination = '{{SplitFromLeft(1,1)}}.{{SliceFromRight(2,2)}}.end.>';
    expect(transform('*.*.>', destination, 'abc.vwxyz.t.u')).toBe('a.bc.v.wx.yz.end.t.u');
  });
});

// Texts: observed on nats-server 2.15.1, without the prefix of the place where the transform stands.
describe('refusals', () => {
  it.each([
    ['a.*', 'b.*'],
    ['a.*', 'b.>'],
    ['a.>', 'b'],
    ['a.*', 'b..c'],
    ['a..*', 'b'],
    ['a.>.b', 'c'],
    ['a.', 'c'],
  ])('%s to %s is an invalid subject', (source, destination) => {
    expect(errorOf(source, destination)).toEqual(new TransformError('invalid subject'));
  });

  const outOfRange = 'wildcard index out of range';
  const tooFew = 'not enough arguments passed to the function';
  const tooMany = 'too many arguments passed to the function';
  const invalid = 'function argument is invalid or in the wrong format';
  it.each([
    ['a.*', '{{foo(1)}}', 'unknown function', ''],
    ['a.*', '{{wildcard}}', 'unknown function', ''],
    ['a.*', '{{SPLIT(1,-)}}', 'unknown function', ''],
    ['a', '{{foo(1)}}', 'unknown function', ''],
    ['a.*', '{{wildcard(2)}}', outOfRange, ': [2]'],
    ['a.*', '$2', outOfRange, ': [2]'],
    ['a.*', '{{left(9,1)}}', outOfRange, ': [9]'],
    ['a.*', '{{partition(3,1,2)}}', outOfRange, ': [2]'],
    ['a', '$1', outOfRange, ''],
    ['a', '{{left(1,2)}}', outOfRange, ''],
    ['a.*', '{{wildcard()}}', tooFew, ''],
    ['a.*', '{{left(1)}}', tooFew, ''],
    ['a.*', '{{split(1)}}', tooFew, ''],
    ['a.*', '{{random(1,2)}}', tooFew, ''],
    ['a.*', '{{wildcard(1,2)}}', tooMany, ''],
    ['a.*', '{{left(1,2,3)}}', tooMany, ''],
    ['a.*', '{{split(1,-,-)}}', tooMany, ''],
    ['a.*', '{{wildcard(x)}}', invalid, ''],
    ['a.*', '{{wildcard( )}}', invalid, ''],
    ['a.*', '{{wildcard(99999999999999999999)}}', invalid, ''],
    ['a.*', '{{left(x,2)}}', invalid, ''],
    ['a.*', '{{left(1,3000000000)}}', invalid, ''],
    ['a.*', '{{left(1,-2147483649)}}', invalid, ''],
    ['a.*', '{{partition()}}', invalid, ''],
    ['a.*', '{{partition(3000000000,1)}}', invalid, ''],
    ['a.*', '{{partition(3,x)}}', invalid, ''],
    ['a.*', '{{split(x,-)}}', invalid, ''],
    ['a.*', '{{split(1,a b)}}', invalid, ''],
    ['a.*', '{{random()}}', invalid, ''],
    ['a.*', '{{random(3000000000)}}', invalid, ''],
  ])('%s to b.%s: %s', (source, token, problem, suffix) => {
    const text = `invalid mapping destination: ${problem} in ${token}${suffix}`;
    expect(errorOf(source, `b.${token}`)).toEqual(new TransformError(text));
  });

  it('an import uses every wildcard and no function but wildcard', () => {
    expect(errorOf('a.*.*', 'b.$1', true)).toEqual(
      new TransformError('invalid mapping destination: not using all of the token wildcard(s) in b.$1'),
    );
    expect(errorOf('a.*', 'b.{{left(1,2)}}', true)).toEqual(
      new TransformError(
        'invalid mapping destination: the only mapping function allowed for import transforms is {{Wildcard()}} in {{left(1,2)}}',
      ),
    );
    expect(errorOf('a.*.*', 'b.$2.{{wildcard(1)}}', true)).toBeNull();
  });
});
