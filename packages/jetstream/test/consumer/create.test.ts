import { readFileSync } from 'node:fs';
import { Sublist } from '@nats-ts/sublist';
import { describe, expect, it } from 'vitest';
import { DESCRIPTION_BYTES_MAX, METADATA_BYTES_MAX } from '../../src/consumer/config-check.ts';
import { CREATE_REQUEST_SCHEMA } from '../../src/consumer/config-schema.ts';
import { consumerModule } from '../../src/consumer/module.ts';
import { ApiError, apiError } from '../../src/errors/api-error.ts';
import { decodeJson } from '../../src/json/decode.ts';
import { encodeJson } from '../../src/json/encode.ts';
import { JsonError } from '../../src/json/value.ts';
import type { StreamConfig } from '../../src/stream/config.ts';
import { FakeStream } from './fake-stream.ts';
import { failure, Workbench } from './workbench.ts';

interface Case {
  readonly subject: string;
  readonly body: Record<string, unknown>;
  readonly result: { silence?: true; error?: object; config?: Record<string, unknown>; generated?: number };
}

/** What nats-server 2.15.1 answered to these requests on the streams below. */
const CASES = JSON.parse(readFileSync(new URL('./oracle-create.json', import.meta.url), 'utf8')) as Case[];

const STREAMS: readonly (Partial<StreamConfig> & { name: string })[] = [
  { name: 'limits', subjects: ['l.>'] },
  { name: 'work', subjects: ['w.>'], retention: 'workqueue' },
  { name: 'interest', subjects: ['i.>'], retention: 'interest' },
  { name: 'capped', subjects: ['k.>'], consumer_limits: { inactive_threshold: 60_000_000_000, max_ack_pending: 50 } },
];

/** Answers one request as the dispatcher would. */
async function answer({ subject, body }: Case): Promise<Record<string, unknown> | null> {
  const routes = new Sublist<string>();
  for (const pattern of Object.keys(consumerModule.routes)) routes.insert(pattern, null, pattern);
  const pattern = routes.match(subject).plain[0];
  if (pattern === undefined) return null;
  const streams = new Map<string, FakeStream>();
  for (const config of STREAMS) streams.set(config.name, await FakeStream.create(config));
  let response: Record<string, unknown> | null = null;
  const request = {
    subject: `$JS.API.${subject}`,
    tokens: subject.split('.'),
    header: null,
    body: Buffer.from(encodeJson(body)),
    reply: 'r',
    client: null,
    isAnswered: false,
    isBodyEmpty: false,
    decode() {
      try {
        return decodeJson(this.body, CREATE_REQUEST_SCHEMA, { strict: true });
      } catch (error) {
        throw error instanceof JsonError ? apiError('InvalidJSON', { err: error.message }) : error;
      }
    },
    unmarshal: () => ({}),
    requireLevel(): void {},
    decodeOptional: () => null,
    requireEmptyBody() {},
    respond(fields: Readonly<Record<string, unknown>>) {
      response = JSON.parse(encodeJson(fields)) as Record<string, unknown>;
    },
    fail() {},
  };
  const account = {
    account: streams.get('limits')!.account,
    stream(name: string) {
      const stream = streams.get(name);
      if (stream === undefined) throw apiError('StreamNotFound');
      return stream;
    },
  };
  try {
    await consumerModule.routes[pattern]!.handle(request, account);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { error: error.toJSON() };
  }
  return response;
}

describe('CONSUMER.CREATE answers as nats-server 2.15.1', () => {
  it.each(CASES.map((one) => [`${one.subject} ${JSON.stringify(one.body)}`, one] as const))(
    '%s',
    async (_title, one) => {
      const response = await answer(one);
      if (one.result.silence === true) {
        expect(response).toBeNull();
        return;
      }
      if (one.result.error !== undefined) {
        expect(response).toEqual({ error: one.result.error });
        return;
      }
      const config = response!['config'] as Record<string, unknown>;
      expect(config).toEqual(one.result.config);
      expect(Object.keys(config)).toEqual(Object.keys(one.result.config!));
      if (one.result.generated !== undefined) expect(response!['name']).toHaveLength(one.result.generated);
    },
  );
});

describe('limits of a configuration', () => {
  it('refuses a description above 4096 bytes', async () => {
    const bench = await Workbench.create();
    expect(await failure(() => bench.consumer({ description: 'ä'.repeat(DESCRIPTION_BYTES_MAX / 2 + 1) }))).toEqual({
      err_code: 10107,
      description: 'consumer description is too long, maximum allowed is 4096',
    });
    expect(
      (await bench.consumer({ description: 'ä'.repeat(DESCRIPTION_BYTES_MAX / 2) })).config.description,
    ).toHaveLength(DESCRIPTION_BYTES_MAX / 2);
  });

  it('refuses metadata above 128 KiB', async () => {
    const bench = await Workbench.create();
    expect(await failure(() => bench.consumer({ metadata: { a: 'x'.repeat(METADATA_BYTES_MAX) } }))).toEqual({
      err_code: 10135,
      description: 'consumer metadata exceeds maximum size of 128KB',
    });
  });

  it('refuses a name above 255 bytes', async () => {
    const bench = await Workbench.create();
    expect(await failure(() => bench.consumer({ durable_name: 'x'.repeat(256), name: 'x'.repeat(256) }))).toEqual({
      err_code: 10102,
      description: 'consumer name is too long, maximum allowed is 255',
    });
  });

  it.each([
    [{ ack_policy: 'flow_control', deliver_subject: 'p' }, 'ack_policy "flow_control"'],
    [{ priority_policy: 'overflow', priority_groups: ['A'] }, 'priority groups (priority_policy "overflow")'],
    [{ name: 'c', direct: true, deliver_subject: 'p' }, 'a hidden consumer (direct)'],
    [{ sourcing: true, deliver_subject: 'p' }, 'a consumer for mirrors and sources (sourcing)'],
  ] as const)('refuses by name what is not there yet: %j', async (config, feature) => {
    const bench = await Workbench.create();
    expect(await failure(() => bench.consumer(config))).toEqual({
      err_code: 10012,
      description: `${feature} is not supported yet by nats-ts`,
    });
  });

  it('refuses a consumer above max_consumers', async () => {
    const bench = await Workbench.create();
    bench.stream.limits = { ...bench.stream.limits, maxConsumers: 1 };
    await bench.consumer({ durable_name: 'a' });
    expect(await failure(() => bench.consumer({ durable_name: 'b' }))).toEqual({
      err_code: 10026,
      description: 'maximum consumers limit reached',
    });
    expect((await bench.consumer({ durable_name: 'a' })).name).toBe('a');
  });

  it('respects caps on max_ack_pending and max_batch from server and account', async () => {
    const bench = await Workbench.create();
    bench.stream.limits = { ...bench.stream.limits, maxAckPending: 20, maxRequestBatch: 5 };
    const consumer = await bench.consumer({ durable_name: 'a', ack_policy: 'explicit' });
    expect(consumer.config).toMatchObject({ max_ack_pending: 20, max_batch: 5 });
    expect(await failure(() => bench.consumer({ ack_policy: 'explicit', max_ack_pending: 21 }))).toEqual({
      err_code: 10121,
      description: 'consumer max ack pending exceeds system limit of 20',
    });
    expect(await failure(() => bench.consumer({ max_batch: 6 }))).toEqual({
      err_code: 10125,
      description: 'consumer max request batch exceeds server limit of 5',
    });
    expect(await failure(() => bench.consumer({}, { pedantic: true }))).toEqual({
      err_code: 10157,
      description: "pedantic mode: max_request_batch must be set if it's JetStream limits are set",
    });
  });
});
