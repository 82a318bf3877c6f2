import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, ServerOptions } from '../src/index.ts';
import { login, RawClient, startServer, until } from './support.ts';

let server: NatsServer;
let port: number;

async function start(options: ServerOptions = {}): Promise<void> {
  ({ server, port } = await startServer(options));
}

afterEach(async () => {
  await server.shutdown();
});

describe('a published message', () => {
  it('reaches its subscriber as it was published', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a.b 9\r\nPUB a.b 5\r\nhello\r\nPUB a.b reply.to 0\r\n\r\n');
    expect(await client.flush()).toBe('MSG a.b 9 5\r\nhello\r\nMSG a.b 9 reply.to 0\r\n\r\n');
  });

  it('is delivered with single blanks however it was written, and with its size token as it came', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\npub \t a  \tr   0003 \nxyz\r\nHPUB a  12\t 0014\r\nNATS/1.0\r\n\r\nab\r\n');
    expect(await client.flush()).toBe('MSG a 1 r 0003\r\nxyz\r\nHMSG a 1 12 0014\r\nNATS/1.0\r\n\r\nab\r\n');
  });

  it('loses its header block for a receiver without headers, and an empty block for everybody', async () => {
    await start();
    const plain = await login(port, { headers: false });
    plain.send('SUB a 1\r\n');
    await plain.flush();
    const client = await login(port);
    client.send('HPUB a r 12 14\r\nNATS/1.0\r\n\r\nab\r\nHPUB a 0 3\r\nabc\r\nHPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n');
    await client.flush();
    expect(await plain.flush()).toBe('MSG a 1 r 2\r\nab\r\nMSG a 1 3\r\nabc\r\nMSG a 1 0\r\n\r\n');
  });

  it('reaches every plain subscription, and the publisher unless it asked for no echo', async () => {
    await start();
    const other = await login(port);
    other.send('SUB a 1\r\nSUB * 2\r\nSUB > 3\r\n');
    await other.flush();
    const silent = await login(port, { echo: false });
    silent.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await silent.flush()).toBe('');
    const lines = (await other.flush()).match(/MSG a \d 1\r\nx\r\n/g) ?? [];
    expect(lines.sort()).toEqual(['MSG a 1 1\r\nx\r\n', 'MSG a 2 1\r\nx\r\n', 'MSG a 3 1\r\nx\r\n']);
  });

  it('keeps subjects of any bytes, and wildcards in them are literals', async () => {
    await start();
    const client = await login(port);
    client.send('SUB > 1\r\nPUB \xfc\xff.\x01 \xe9 1\r\nx\r\nPUB a.*.b 1\r\ny\r\nPUB > 1\r\nz\r\nPUB a..b 1\r\nn\r\n');
    expect(await client.flush()).toBe('MSG \xfc\xff.\x01 1 \xe9 1\r\nx\r\nMSG a.*.b 1 1\r\ny\r\nMSG > 1 1\r\nz\r\n');
  });

  it('arrives whole whatever its size and however it was split', async () => {
    await start({ maxPayload: 4 * 1024 * 1024 });
    const subscriber = await login(port);
    subscriber.send('SUB big 1\r\nSUB big 2\r\n');
    await subscriber.flush();
    const plain = await login(port, { headers: false });
    plain.send('SUB big 3\r\n');
    await plain.flush();
    const publisher = await login(port);
    let expected = '';
    let expectedPlain = '';
    const sizes = [100, 8_191, 8_192, 16_384, 65_536, 131_072, 200_000, 3_000_000];
    for (const [index, size] of sizes.entries()) {
      const payload = Buffer.alloc(size, 97 + index).toString();
      const header = 'NATS/1.0\r\nk: v\r\n\r\n';
      const total = header.length + size;
      publisher.send(`HPUB big re ${header.length} ${total}\r\n${header}${payload}\r\n`);
      for (const sid of [1, 2]) expected += `HMSG big ${sid} re ${header.length} ${total}\r\n${header}${payload}\r\n`;
      expectedPlain += `MSG big 3 re ${size}\r\n${payload}\r\n`;
    }
    await publisher.flush();
    expect((await subscriber.flush()) === expected).toBe(true);
    expect((await plain.flush()) === expectedPlain).toBe(true);
  });

  it('arrives whole when it comes byte by byte', async () => {
    await start();
    const subscriber = await login(port);
    subscriber.send('SUB a 1\r\n');
    await subscriber.flush();
    const publisher = await login(port);
    for (const byte of 'PUB a r 3\r\nxyz\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nab\r\n') {
      publisher.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await publisher.flush();
    expect(await subscriber.flush()).toBe('MSG a 1 r 3\r\nxyz\r\nHMSG a 1 12 14\r\nNATS/1.0\r\n\r\nab\r\n');
  });

  it('comes in order, whatever stands between small and large ones', async () => {
    await start();
    const subscriber = await login(port);
    subscriber.send('SUB s 1\r\n');
    await subscriber.flush();
    const publisher = await login(port);
    const count = 3000;
    let batch = '';
    let expected = '';
    for (let i = 0; i < count; i++) {
      const payload = `${i}`.padEnd(i % 97 === 0 ? 20_000 : (i % 13) + 5, '.');
      batch += `PUB s ${payload.length}\r\n${payload}\r\n`;
      expected += `MSG s 1 ${payload.length}\r\n${payload}\r\n`;
    }
    publisher.send(batch);
    await publisher.flush();
    expect((await subscriber.flush()) === expected).toBe(true);
  });
});

describe('a pedantic or verbose publisher', () => {
  it('is told about subjects with empty tokens or wildcards, and the message goes out all the same', async () => {
    await start();
    const client = await login(port, { pedantic: true, verbose: true });
    client.send('SUB > 1\r\nPUB a.* 1\r\nx\r\nPUB a..b 1\r\nx\r\n');
    expect(await client.flush()).toBe(
      "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\nMSG a.* 1 1\r\nx\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n",
    );
  });

  it('is what a client is that never sends CONNECT', async () => {
    await start();
    const client = new RawClient(port);
    await client.info();
    client.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n');
  });
});

describe('reserved subjects', () => {
  it('are refused as reply and as subject, and the connection stays', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\n');
    for (const reply of ['_R_.x', '_R_.', '$JS.ACK.x', '_GR_.x']) {
      client.send(`PUB a ${reply} 1\r\nx\r\n`);
      expect(await client.flush()).toBe(`-ERR 'Permissions Violation for Publish with Reply of "${reply}"'\r\n`);
    }
    for (const subject of ['_GR_.x', '$NRG.x', '$NRG.']) {
      client.send(`PUB ${subject} 1\r\nx\r\n`);
      expect(await client.flush()).toBe(`-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`);
    }
    client.send('PUB a _R_ 1\r\nx\r\nPUB a $JS.ACK. 1\r\ny\r\nPUB _GR_. 1\r\nx\r\n');
    expect(await client.flush()).toBe('MSG a 1 _R_ 1\r\nx\r\nMSG a 1 $JS.ACK. 1\r\ny\r\n');
  });
});

describe('counters', () => {
  it('count messages and payload bytes, headers included, both ways', async () => {
    await start({ monitor: { port: -1 } });
    const client = await login(port);
    client.send('SUB a 1\r\nSUB a 2\r\nPUB a 5\r\nhello\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nab\r\n');
    await client.flush();
    client.close();
    await until(() => server.connectionCount === 0, 'the close');
    const response = await fetch(`http://127.0.0.1:${server.monitorPort}/varz`);
    expect(await response.json()).toMatchObject({ in_msgs: 2, in_bytes: 19, out_msgs: 4, out_bytes: 38 });
  });
});
