import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TempDir, WireClient } from '../../../tests/src/index.ts';
import { openLogger } from '../src/logger.ts';
import { type LogLine, logLines, RunningService, run, serviceEnv } from './support/service.ts';

it('logs JSON lines with the field names of the original', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path, { NATS_LOG_LEVEL: 'info' }));
  const lines = logLines(service.output);
  for (const line of lines) {
    expect(line).toMatchObject({
      level: 'info',
      service: 'nats',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/),
      message: expect.any(String),
    });
  }
  const texts = lines.map(({ message }) => message);
  expect(texts[0]).toBe('Starting nats-server');
  expect(texts).toContain('  Cluster:  ocis-cluster');
  expect(texts).toContain(`Listening for client connections on 127.0.0.1:${service.port}`);
  expect(texts).toContain('Server is ready');
});

it('shows fields in the line that they belong to only, and counts the lines', async () => {
  using dir = new TempDir('events');
  const file = join(dir.path, 'nats.log');
  const log = await openLogger({ level: 'info', pretty: false, color: false, file });
  log.info('first', { signal: 'SIGTERM' });
  log.warn('second');
  log.info('third', { free_bytes: 1 });
  const lines = logLines(readFileSync(file, 'utf8')).map(({ time, level, service, ...rest }) => rest);
  expect(lines).toEqual([
    { message: 'first', signal: 'SIGTERM' },
    { message: 'second' },
    { message: 'third', free_bytes: 1 },
  ]);
  expect(log.lines.get('info')).toBe(2);
  expect(log.lines.get('warn')).toBe(1);
});

it('traces the protocol at level trace only', async () => {
  using dir = new TempDir('events');
  for (const [level, traced, debugged] of [
    ['debug', false, true],
    ['TRACE', true, true],
  ] as const) {
    await using service = await RunningService.start(serviceEnv(dir.path, { NATS_LOG_LEVEL: level }));
    await using client = await WireClient.connect(service.port);
    await client.flush();
    expect(service.output.includes('<<- [PING]')).toBe(traced);
    expect(logLines(service.output).some((line) => line.level === 'debug')).toBe(debugged);
    if (traced) expect(logLines(service.output).some((line) => line.level === 'trace')).toBe(true);
  }
});

it('shows the data directory and that it is ready at every level', async () => {
  using dir = new TempDir('events');
  for (const level of ['panic', 'error']) {
    await using service = await RunningService.start(serviceEnv(dir.path, { NATS_LOG_LEVEL: level }));
    expect(logLines(service.output).map(({ message }) => message)).toEqual([
      `Store directory: ${dir.path}/nats`,
      `Ready for clients on ${service.address}`,
    ]);
  }
});

it('logs for human eyes, in colour only when asked, and not to the file then', async () => {
  using dir = new TempDir('events');
  const file = join(dir.path, 'nats.log');
  const colourCode = '\u001b[';
  for (const color of ['false', 'true']) {
    const env = serviceEnv(dir.path, {
      NATS_LOG_LEVEL: 'info',
      NATS_LOG_PRETTY: 'true',
      NATS_LOG_COLOR: color,
      NATS_LOG_FILE: file,
    });
    await using service = await RunningService.start(env);
    expect(service.output).toContain('Server is ready');
    expect(service.output).not.toContain('"message"');
    expect(service.output.includes(colourCode)).toBe(color === 'true');
  }
  expect(() => readFileSync(file)).toThrow('ENOENT');
});

it('appends to its log file, and does not start when it cannot', async () => {
  using dir = new TempDir('events');
  const file = join(dir.path, 'nats.log');
  writeFileSync(file, '{"message":"before"}\n');
  await using service = RunningService.launch(serviceEnv(dir.path, { NATS_LOG_FILE: file }));
  await expect.poll(() => readFileSync(file, 'utf8'), { timeout: 10_000 }).toContain('Ready for clients on');
  expect(logLines(readFileSync(file, 'utf8'))[0]).toEqual({ message: 'before' });
  expect(service.output).toBe('');
  const none = join(dir.path, 'none', 'nats.log');
  const done = run(['server'], serviceEnv(dir.path, { NATS_LOG_FILE: none }));
  expect(done.status).toBe(1);
  expect(done.stderr).toContain(`NATS_LOG_FILE: cannot open ${none}`);
});

it('names a client that does not take what a push consumer delivers, at every level', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path));
  await using client = await WireClient.connect(service.port);
  await using slow = await WireClient.connect(service.port, { name: 'frontend', lang: 'go', version: '1.0' });
  slow.subscribe('deliver.here');
  await slow.flush();
  slow.raw.socket.pause();
  const ask = async (subject: string, request: object): Promise<unknown> =>
    (await client.request(`$JS.API.${subject}`, JSON.stringify(request))).kind;
  const stream = { name: 'main-queue', subjects: ['main-queue.>'], storage: 'memory' };
  expect(await ask('STREAM.CREATE.main-queue', stream)).toBe('message');
  const config = { name: 'slow', durable_name: 'slow', deliver_subject: 'deliver.here', ack_policy: 'none' };
  expect(await ask('CONSUMER.CREATE.main-queue.slow', { stream_name: 'main-queue', config })).toBe('message');
  const payload = 'x'.repeat(1024 * 1024);
  const found = (): LogLine | undefined => logLines(service.output).find(({ message }) => message.includes('Slow'));
  for (let i = 0; i < 200 && found() === undefined; i++) {
    client.publish('main-queue.uploads', payload);
    await client.flush();
  }
  await expect.poll(found).toMatchObject({
    level: 'info',
    message: expect.stringMatching(
      / - cid:\d+ - "v1.0:go:frontend" - Slow Consumer Detected: MaxPending of 67108864 Exceeded$/,
    ),
    client_name: 'frontend',
    account: '$G',
    reason: 'max_pending',
    subjects: ['deliver.here'],
    last_subjects: ['main-queue.uploads'],
  });
});
