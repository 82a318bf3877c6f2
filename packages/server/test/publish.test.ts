import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer } from '../src/index.ts';
import { login, RawClient, startServer } from './support.ts';

let server: NatsServer;
let port: number;

async function start(options = {}): Promise<void> {
  ({ server, port } = await startServer(options));
}

afterEach(async () => {
  await server.shutdown();
});

describe('publishing', () => {
  it('brings a message to its subscriber as it was published', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a.b 9\r\nPUB a.b 5\r\nhello\r\nPUB a.b reply.to 0\r\n\r\n');
    expect(await client.flush()).toBe('MSG a.b 9 5\r\nhello\r\nMSG a.b 9 reply.to 0\r\n\r\n');
  });

  it('writes single blanks whatever the publisher wrote, and the size token as it came', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\npub \t a  \tr   0003 \nxyz\r\nHPUB a  12\t 0014\r\nNATS/1.0\r\n\r\nab\r\n');
    expect(await client.flush()).toBe('MSG a 1 r 0003\r\nxyz\r\nHMSG a 1 12 0014\r\nNATS/1.0\r\n\r\nab\r\n');
  });

  it('cuts the header block off for a receiver without headers, and sends an empty one as MSG', async () => {
    await start();
    const plain = await login(port, { headers: false });
    plain.send('SUB a 1\r\n');
    await plain.flush();
    const client = await login(port);
    client.send('HPUB a r 12 14\r\nNATS/1.0\r\n\r\nab\r\nHPUB a 0 3\r\nabc\r\nHPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n');
    await client.flush();
    expect(await plain.flush()).toBe('MSG a 1 r 2\r\nab\r\nMSG a 1 3\r\nabc\r\nMSG a 1 0\r\n\r\n');
  });

  it('serves a client that never sends CONNECT, verbosely', async () => {
    await start();
    const client = new RawClient(port);
    await client.info();
    client.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n');
  });
});
