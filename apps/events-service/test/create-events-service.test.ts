import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TempDir, WireClient } from '../../../tests/src/index.ts';
import { createEventsService } from '../src/index.ts';
import { ask, writeYaml } from './support/service.ts';

it('starts from plain options and stops at the end of its scope', async () => {
  using dir = new TempDir('events');
  let port: number;
  {
    await using service = await createEventsService({
      nats: { port: -1, storeDir: dir.path },
      debug: { addr: '127.0.0.1:0' },
      log: { file: join(dir.path, 'log') },
    });
    port = service.port;
    await using client = await WireClient.connect(port);
    const made = await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
    expect(JSON.stringify(made)).toContain('did_create');
    expect(await ask(service.debugPort, '/readyz')).toMatchObject({ status: 200 });
  }
  await expect(WireClient.connect(port)).rejects.toThrow();
  expect(existsSync(join(dir.path, 'jetstream/$G/streams/main-queue/meta.inf'))).toBe(true);
});

it('starts from an environment with its nats.yaml, over which options count', async () => {
  using dir = new TempDir('events');
  writeYaml(dir.path, 'nats: { clusterid: from-yaml, port: 1 }\n');
  await using service = await createEventsService({
    env: {
      OCIS_CONFIG_DIR: join(dir.path, 'config'),
      OCIS_BASE_DATA_PATH: dir.path,
      NATS_DEBUG_ADDR: '',
      NATS_LOG_FILE: join(dir.path, 'log'),
      OCIS_EVENTS_AUTH_USERNAME: 'anna',
      OCIS_EVENTS_AUTH_PASSWORD: 'secret',
    },
    nats: { port: -1 },
  });
  await expect(WireClient.connect(service.port)).rejects.toThrow('Authorization Violation');
  await using client = await WireClient.connect(service.port, { user: 'anna', pass: 'secret' });
  expect(client.errors).toEqual([]);
  expect(existsSync(join(dir.path, 'nats/jetstream'))).toBe(true);
});

it('looks at no variable and no file of the machine unless told to', async () => {
  using dir = new TempDir('events');
  process.env['NATS_DEBUG_ADDR'] = 'nonsense';
  try {
    await using service = await createEventsService({
      nats: { port: -1, storeDir: dir.path },
      debug: { addr: '' },
      log: { file: join(dir.path, 'log') },
    });
    expect(service.unready()).toEqual([]);
  } finally {
    delete process.env['NATS_DEBUG_ADDR'];
  }
});

it('rejects with what is wrong, and leaves nothing running', async () => {
  using dir = new TempDir('events');
  await expect(createEventsService({ nats: { port: 70_000 } })).rejects.toThrow(
    'option nats.port: nats.port is "70000", expected an integer from -1 to 65535',
  );
  const log = { file: join(dir.path, 'log') };
  await using first = await createEventsService({ nats: { port: -1, storeDir: dir.path }, debug: { addr: '' }, log });
  const second = { nats: { port: -1, storeDir: dir.path }, debug: { addr: '' }, log };
  await expect(createEventsService(second)).rejects.toThrow(dir.path);
  expect(first.unready()).toEqual([]);
});
