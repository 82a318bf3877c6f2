import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { TempDir } from '../../../tests/src/index.ts';
import { CONNECTIONS_MAX, DebugServer } from '../src/debug/debug-server.ts';
import { SOURCE_MAPS_MAX, SourceLines } from '../src/profiles/source-lines.ts';
import { STREAMS_NAMED_MAX, StartProgress } from '../src/start-progress.ts';
import { ManualClock } from './support/manual-clock.ts';
import { ask } from './support/service.ts';

it('the debug server closes a connection beyond its limit, and serves again when one has gone', async () => {
  const settings = { host: '127.0.0.1', port: 0, token: '', version: '1', onError: () => undefined };
  const answer = async () => ({ status: 200, type: 'text/plain', body: 'OK' });
  const server = new DebugServer(settings, [{ path: '/healthz', isOpen: true, answer }]);
  await server.start();
  const sockets: Socket[] = [];
  const open = async (): Promise<Socket> => {
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  try {
    for (let count = 0; count < CONNECTIONS_MAX; count++) await open();
    const refused = await open();
    let told = 0;
    refused.on('data', (bytes) => {
      told += bytes.length;
    });
    await once(refused, 'close');
    expect(told).toBe(0);
    expect(sockets.filter(({ closed }) => closed)).toEqual([refused]);
    const first = sockets[0]!;
    first.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    first.resume();
    await once(first, 'close');
    expect(await ask(server.port, '/healthz')).toMatchObject({ status: 200, body: 'OK' });
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
});

it('code of more files than source maps are read for is named by the built file', async () => {
  using dir = new TempDir('maps');
  mkdirSync(dir.path, { recursive: true });
  const map = { version: 3, sources: ['source.ts'], names: [], mappings: 'AAAA' };
  const url = (name: string): string => pathToFileURL(join(dir.path, name)).href;
  for (const name of ['first.js', 'last.js']) writeFileSync(join(dir.path, `${name}.map`), JSON.stringify(map));
  const lines = new SourceLines();
  const between = Array.from({ length: SOURCE_MAPS_MAX - 1 }, (_, at) => url(`${at}.js`));
  await lines.read([url('first.js'), ...between, url('last.js')]);
  expect(lines.place(url('first.js'), 0, 0).file).toBe(join(dir.path, 'source.ts'));
  expect(lines.place(url('last.js'), 0, 0).file).toBe(join(dir.path, 'last.js'));
});

it('a line about the recovery names a limited number of streams', () => {
  const progress = new StartProgress(new ManualClock(), () => undefined);
  for (let at = 0; at <= STREAMS_NAMED_MAX; at++) progress.blocksRead('$G', `S${at}`, 1, 2);
  expect(progress.text.match(/S\d/g)).toEqual(Array.from({ length: STREAMS_NAMED_MAX }, (_, at) => `S${at}`));
});
