import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, ServerOptions } from '../src/index.ts';
import { login, startServer, type TestLogger } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions = {}): Promise<void> {
  ({ server, port, logger } = await startServer(options));
}

afterEach(async () => {
  await server.shutdown();
});

describe('SUB', () => {
  it('refuses invalid subjects and leaves the connection open', async () => {
    await start();
    const client = await login(port, { verbose: true });
    for (const subject of ['a..b', '.a', 'a.', '>.a', 'a.>.b']) {
      client.send(`SUB ${subject} 1\r\n`);
      expect(await client.flush(), subject).toMatch(/-ERR 'Invalid Subject'\r\n$/);
    }
    client.send('SUB a*.>x 1\r\nPUB a*.>x 1\r\nx\r\n');
    expect(await client.flush()).toBe('+OK\r\n+OK\r\nMSG a*.>x 1 1\r\nx\r\n');
  });

  it('keeps the first subscription of a sid that is in use, and frees the sid on UNSUB', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\nSUB b 1\r\nPUB a 1\r\nx\r\nPUB b 1\r\ny\r\nUNSUB 1\r\nSUB b 1\r\nPUB b 1\r\nz\r\n');
    expect(await client.flush()).toBe('MSG a 1 1\r\nx\r\nMSG b 1 1\r\nz\r\n');
  });

  it('echoes any bytes as sid', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a \xff,é\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('MSG a \xff,é 1\r\nx\r\n');
  });

  it('refuses the queue group of the server itself', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a _sys_ 1\r\n');
    expect(await client.flush()).toBe(`-ERR 'Permissions Violation for Subscription to "a" using queue "_sys_"'\r\n`);
    expect(logger.lines.at(-1)).toMatch(/Subscription Violation - Subject "a", Queue: "_sys_", SID 1$/);
  });

  it('stops at max_subscriptions until one is given back, and logs that once in two seconds', async () => {
    await start({ maxSubscriptions: 2 });
    const client = await login(port);
    client.send('SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nSUB d 4\r\nUNSUB 1\r\nSUB e 5\r\nPUB e 1\r\nx\r\n');
    const error = "-ERR 'maximum subscriptions exceeded'\r\n";
    expect(await client.flush()).toBe(`${error}${error}MSG e 5 1\r\nx\r\n`);
    expect(logger.lines.filter((line) => line.includes('maximum subscriptions exceeded'))).toHaveLength(1);
  });

  it('stops at max_sub_tokens', async () => {
    await start({ maxSubTokens: 3 });
    const client = await login(port);
    client.send('SUB a.b.c 1\r\nSUB a.b.c.d 2\r\n');
    expect(await client.flush()).toBe(
      `-ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'\r\n`,
    );
  });
});

describe('UNSUB', () => {
  it('with a maximum ends the subscription with that delivery', async () => {
    await start();
    const client = await login(port);
    const publish = (text: string): string => `PUB a 1\r\n${text}\r\n`;
    client.send(`SUB a 1\r\n${publish('0')}UNSUB 1 3\r\n${publish('1')}${publish('2')}${publish('3')}`);
    expect(await client.flush()).toBe('MSG a 1 1\r\n0\r\nMSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n');
  });

  it('ends it at once when the maximum is reached already, is 0, or is no number', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\nPUB a 1\r\nx\r\nUNSUB 1 1\r\nPUB a 1\r\ny\r\n');
    expect(await client.flush()).toBe('MSG a 1 1\r\nx\r\n');
    for (const max of ['0', 'zz']) {
      client.send(`SUB a 2\r\nUNSUB 2 ${max}\r\nPUB a 1\r\nx\r\n`);
      expect(await client.flush(), max).toBe('');
    }
  });

  it('may raise an earlier maximum, and ignores a sid nobody has', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\nUNSUB 1 1\r\nUNSUB 1 2\r\nUNSUB 7\r\nPUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a 1\r\nz\r\n');
    expect(await client.flush()).toBe('MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n');
  });
});

describe('queue groups', () => {
  it('get one copy each, beside the plain subscribers', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a g1 1\r\nSUB a g1 2\r\nSUB * g2 3\r\nSUB a 4\r\nPUB a 1\r\nx\r\n');
    const got = (await client.flush()).match(/MSG a (\d) 1\r\nx\r\n/g) ?? [];
    expect(got).toHaveLength(3);
    expect(got[0]).toContain('a 4');
  });

  it('choose among subscriptions at random', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a q 1\r\nSUB a q 2\r\nSUB a q 3\r\n');
    client.send('PUB a 1\r\nx\r\n'.repeat(900));
    const got = await client.flush();
    for (const sid of [1, 2, 3]) {
      const share = got.split(`MSG a ${sid} 1`).length - 1;
      // 300 expected, standard deviation 14: six of them is once in a billion.
      expect(share).toBeGreaterThan(214);
      expect(share).toBeLessThan(386);
    }
  });

  it('pass on what a member cannot take', async () => {
    await start();
    const silent = await login(port, { echo: false });
    const other = await login(port);
    silent.send('SUB a q 1\r\n');
    other.send('SUB a q 1\r\n');
    await silent.flush();
    await other.flush();
    silent.send('PUB a 1\r\nx\r\n'.repeat(20));
    expect(await silent.flush()).toBe('');
    expect(await other.flush()).toBe('MSG a 1 1\r\nx\r\n'.repeat(20));
  });
});

describe('no responders', () => {
  const status = (reply: string, sid: string, subject: string): string => {
    const size = 32 + Buffer.byteLength(subject, 'latin1');
    return `HMSG ${reply} ${sid} ${size} ${size}\r\nNATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n\r\n`;
  };

  it('are reported to a plain subscription of the requester, and count as no delivery', async () => {
    await start();
    const client = await login(port, { no_responders: true });
    client.send('SUB r 1\r\nUNSUB 1 1\r\nPUB n\xfc r 1\r\nx\r\nPUB none r 1\r\nx\r\nPUB r 1\r\nz\r\n');
    expect(await client.flush()).toBe(`${status('r', '1', 'n\xfc')}${status('r', '1', 'none')}MSG r 1 1\r\nz\r\n`);
  });

  it('are not reported to a queue subscription, to others, or without a reply', async () => {
    await start();
    const other = await login(port);
    other.send('SUB r 1\r\n');
    await other.flush();
    const client = await login(port, { no_responders: true });
    client.send('SUB r q 1\r\nPUB none r 1\r\nx\r\nPUB none 1\r\nx\r\n');
    expect(await client.flush()).toBe('');
    expect(await other.flush()).toBe('');
  });

  it('are what a request meets that only its own suppressed echo would answer', async () => {
    await start();
    const client = await login(port, { no_responders: true, echo: false });
    client.send('SUB r 1\r\nSUB service 2\r\nPUB service r 1\r\nx\r\n');
    expect(await client.flush()).toBe(status('r', '1', 'service'));
  });

  it('are not reported to a client that did not ask', async () => {
    await start();
    const client = await login(port);
    client.send('SUB r 1\r\nPUB none r 1\r\nx\r\n');
    expect(await client.flush()).toBe('');
  });
});
