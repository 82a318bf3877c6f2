import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRecord,
  decodeStoreKey,
  encodeRecord,
  encodeStoreKey,
  formatKey,
  parseKey,
  RECORD_BYTES_MAX,
} from '../src/index.ts';

const KEY = { name: 'com.owncloud.api.gateway', id: 'b4a0e2ea-2f3c-4b0e-8d31-9a1f1f0e5c11', version: '7.3.0' };

describe('records as Go services write them', () => {
  it('have padded base32 keys', () => {
    expect(encodeStoreKey('a@b@c')).toBe('ONSXE5TJMNSS24TFM5UXG5DSPFPWCQDCIBRQ====');
    expect(decodeStoreKey('ONSXE5TJMNSS24TFM5UXG5DSPFPWCQDCIBRQ====')).toBe('a@b@c');
    for (const wrong of [
      '',
      'abc',
      'ONSXE5TJ',
      'ONSXE5TJMNSS24TFM5UXG5DSPFPWCQDCIBRQ',
      'ONSXE5TJMNSS24TFM5UXG5DSPFPWCQDCIBRR====',
    ]) {
      expect(decodeStoreKey(wrong), wrong).toBeNull();
    }
  });

  it('name service, process and version', () => {
    expect(formatKey(KEY)).toBe('com.owncloud.api.gateway@b4a0e2ea-2f3c-4b0e-8d31-9a1f1f0e5c11@7.3.0');
    expect(parseKey(formatKey(KEY))).toEqual(KEY);
    for (const wrong of ['', 'gateway', 'a@b', '@b@c', 'a@@c', 'a@b@']) expect(parseKey(wrong), wrong).toBeNull();
  });

  it('wrap the service in the envelope of the Go store', () => {
    const service = {
      name: KEY.name,
      version: KEY.version,
      metadata: null,
      endpoints: [],
      nodes: [{ id: `${KEY.name}-1`, address: '127.0.0.1:9142', metadata: { protocol: 'grpc' } }],
    };
    const bytes = encodeRecord(KEY, service);
    const envelope = JSON.parse(Buffer.from(bytes).toString()) as Record<string, string>;
    expect(Object.keys(envelope)).toEqual(['key', 'data', 'metadata']);
    expect(Buffer.from(envelope['data'] ?? '', 'base64').toString()).toBe(JSON.stringify(service));
    expect(decodeRecord(bytes)).toEqual(service);
  });

  it('come back whatever they contain', () => {
    const text = fc.string({ unit: 'binary' });
    const metadata = fc.oneof(fc.constant(null), fc.dictionary(text, text, { noNullPrototype: true }));
    fc.assert(
      fc.property(
        text.filter((name) => name !== ''),
        metadata,
        fc.array(fc.record({ id: text, address: text, metadata })),
        (name, own, nodes) => {
          const service = { name, version: '1', metadata: own, endpoints: [], nodes };
          expect(decodeRecord(encodeRecord(KEY, service))).toEqual(service);
        },
      ),
    );
    fc.assert(fc.property(text, (key) => decodeStoreKey(encodeStoreKey(key)) === key.toWellFormed()));
  });

  it('that are damaged say what is wrong', () => {
    for (const [text, message] of [
      ['', /not JSON/],
      ['[]', /not a JSON object/],
      ['{}', /"data" is not a string/],
      ['{"data":"eA=="}', /data is not JSON/],
      [`{"data":"${Buffer.from('{"nodes":[]}').toString('base64')}"}`, /has no name/],
    ] as const) {
      expect(() => decodeRecord(Buffer.from(text)), text).toThrow(message);
    }
  });

  it('are refused above their limit', () => {
    const service = {
      name: 'a',
      version: '1',
      metadata: { big: 'x'.repeat(RECORD_BYTES_MAX) },
      endpoints: [],
      nodes: [],
    };
    expect(() => encodeRecord(KEY, service)).toThrow(/at most 1048576 are allowed/);
  });
});
