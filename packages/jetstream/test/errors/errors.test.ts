import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiError, apiError, notSupportedYet } from '../../src/errors/api-error.ts';
import { JS_ERRORS } from '../../src/errors/errors.generated.ts';
import { encodeJson } from '../../src/json/encode.ts';

describe('the error table', () => {
  it('has every error of nats-server 2.15.1', () => {
    const table = JSON.parse(readFileSync(new URL('../../errors.json', import.meta.url), 'utf8'));
    const rows = table.map(({ code, error_code: errCode, description }: Record<string, unknown>) => ({
      code,
      errCode,
      description,
    }));
    expect(Object.values(JS_ERRORS)).toEqual(rows);
    expect(rows).toHaveLength(227);
  });

  it('fills in slots and prints as nats-server', () => {
    const error = apiError('StreamWrongLastSequence', { seq: 7 });
    expect(error).toBeInstanceOf(ApiError);
    expect(encodeJson({ error })).toBe(
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 7"}}',
    );
  });

  it('names what is not there yet', () => {
    expect(notSupportedYet('pausing (pause_until)', 'consumer').toJSON()).toEqual({
      code: 500,
      err_code: 10012,
      description: 'pausing (pause_until) is not supported yet by nats-ts',
    });
  });
});
