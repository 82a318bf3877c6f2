import { afterEach, describe, expect, it } from 'vitest';
import { DELIVERY_DEPTH_MAX } from '../src/delivery/router.ts';
import type { InternalMessage, NatsServer, PublisherHold, ServerOptions } from '../src/index.ts';
import { DROPPED_PER_TURN } from '../src/limits.ts';
import { login, type RawClient, startServer, type TestLogger, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions = {}): Promise<ReturnType<typeof globalAccount>> {
  ({ server, port, logger } = await startServer(options));
  return globalAccount();
}

function globalAccount(): NonNullable<ReturnType<(typeof server.host)['account']>> {
  const account = server.host.account('$G');
  if (account === null) throw new Error('there is no $G');
  return account;
}

afterEach(async () => {
  await server.shutdown();
});

async function subscriber(subject: string): Promise<RawClient> {
  const client = await login(port);
  client.send(`SUB ${subject} 1\r\n`);
  await client.flush();
  return client;
}

/** What a callback saw, copied. */
function copyOf(message: InternalMessage): object {
  const { subject, reply, buffer } = message;
  return {
    subject,
    reply,
    header: buffer.toString('latin1', message.headerStart, message.payloadStart),
    payload: buffer.toString('latin1', message.payloadStart, message.payloadEnd),
  };
}

describe('the host', () => {
  it('knows the accounts, and which of them have JetStream', async () => {
    const limits = { maxMemory: 1, maxStorage: 2, maxStreams: 3, maxConsumers: 4, maxAckPending: 5 };
    const jetstreamLimits = { ...limits, memoryMaxStreamBytes: -1, storageMaxStreamBytes: -1, maxBytesRequired: false };
    await start({ jetstreamLimits, serverName: 'it', maxPayload: 77 });
    const accounts = [...server.host.accounts()].map(({ name, jetstreamLimits: own }) => [name, own]);
    expect(accounts).toEqual([
      ['$G', jetstreamLimits],
      ['$SYS', null],
    ]);
    expect(server.host).toMatchObject({ serverId: server.id, serverName: 'it', maxPayload: 77, clusterName: null });
  });
});

describe('an internal subscriber', () => {
  it('sees messages in the publisher turn, and who sent them', async () => {
    const account = await start({ serverName: 'it' });
    const seen: object[] = [];
    let info: object | null = null;
    account.subscribe('js.*', null, (message) => {
      seen.push(copyOf(message));
      info = message.clientInfo();
      return true;
    });
    const client = await login(port, { name: 'n', lang: 'l', version: 'v', user: 'ignored' });
    client.send('PUB js.a 2\r\nhi\r\nHPUB js.b re 12 14\r\nNATS/1.0\r\n\r\nyo\r\n');
    await client.flush();
    expect(seen).toEqual([
      { subject: 'js.a', reply: null, header: '', payload: 'hi' },
      { subject: 'js.b', reply: 're', header: 'NATS/1.0\r\n\r\n', payload: 'yo' },
    ]);
    expect(info).toMatchObject({ host: '127.0.0.1', id: 5, acc: '$G', name: 'n', lang: 'l', ver: 'v', server: 'it' });
    expect(info).toMatchObject({ kind: 'Client', client_type: 'nats', start: expect.stringMatching(/Z$/) });
  });

  it('is told who a part of this process acts as, for that message only', async () => {
    const account = await start();
    const seen: (object | null)[] = [];
    account.subscribe('js.*', null, (message) => {
      seen.push(copyOf(message), message.clientInfo());
      return message.subject === 'js.a';
    });
    const client = { start: '', host: '', id: 0, acc: '$G', server: 'it', kind: 'Client', client_type: 'nats' };
    const header = Buffer.from('NATS/1.0\r\n\r\n');
    expect(account.publishAs(client, 'js.a', 're', header, Buffer.from('hi'))).toBe(1);
    expect(account.publishAs(client, 'js.b', null, null, null)).toBe(0);
    expect(account.publishAs(client, 'nobody', null, null, null)).toBe(0);
    account.deliver('js.c', 'js.c', null, null, null);
    expect(seen).toEqual([
      { subject: 'js.a', reply: 're', header: 'NATS/1.0\r\n\r\n', payload: 'hi' },
      client,
      expect.objectContaining({ subject: 'js.b' }),
      client,
      expect.objectContaining({ subject: 'js.c' }),
      null,
    ]);
  });

  it('has a publisher wait in the middle of what it sent, and nobody else', async () => {
    const account = await start();
    const seen: string[] = [];
    const holds: (PublisherHold | null)[] = [];
    account.subscribe('js.*', null, (message) => {
      seen.push(message.subject);
      if (message.subject === 'js.hold') holds.push(message.holdPublisher());
      return true;
    });
    const client = await login(port);
    const other = await login(port);
    client.send('PUB js.hold 0\r\n\r\nPUB js.a 0\r\n\r\nPING\r\n');
    await until(() => holds.length === 1, 'the hold');
    other.send('PUB js.other 0\r\n\r\n');
    await other.flush();
    account.deliver('js.hold', 'js.hold', null, null, null);
    account.deliver('js.inside', 'js.inside', null, null, null);
    expect([seen, holds[1]]).toEqual([['js.hold', 'js.other', 'js.hold', 'js.inside'], null]);
    holds[0]!.release();
    await client.take('PONG\r\n');
    expect(seen.at(-1)).toBe('js.a');
  });

  it('is a member of its queue group, and ends when it is closed', async () => {
    const account = await start();
    let count = 0;
    const subscription = account.subscribe('a', 'q', () => {
      count++;
      return true;
    });
    const client = await login(port);
    client.send('SUB a q 1\r\n');
    client.send('PUB a 1\r\nx\r\n'.repeat(200));
    const got = (await client.flush()).split('MSG a 1').length - 1;
    expect(got + count).toBe(200);
    expect(count).toBeGreaterThan(40);
    subscription.close();
    subscription.close();
    client.send('PUB a 1\r\nx\r\n'.repeat(10));
    expect((await client.flush()).split('MSG a 1').length - 1).toBe(10);
  });

  it('that says nobody was there leaves the requester with no responders', async () => {
    const account = await start();
    account.subscribe('svc', null, () => false);
    const client = await login(port, { no_responders: true });
    client.send('SUB r 1\r\nPUB svc r 0\r\n\r\n');
    expect(await client.flush()).toContain('NATS/1.0 503');
  });

  it('that throws is logged, and the publisher goes on', async () => {
    const account = await start();
    account.subscribe('bad', null, () => {
      throw new Error('broken');
    });
    const client = await login(port);
    client.send('SUB bad 1\r\nPUB bad 1\r\nx\r\nPUB bad 1\r\ny\r\n');
    expect(await client.flush()).toBe('MSG bad 1 1\r\nx\r\nMSG bad 1 1\r\ny\r\n');
    expect(logger.lines.filter((line) => line.startsWith('ERR') && line.includes('broken'))).toHaveLength(2);
  });

  it('cannot have an invalid subject', async () => {
    const account = await start();
    expect(() => account.subscribe('a..b', null, () => true)).toThrowError('not a valid subject');
  });

  it('delivers what stands in buffers as it delivers pieces', async () => {
    const account = await start();
    const client = await subscriber('to.*');
    const bare = await login(port, { headers: false });
    bare.send('SUB to.* 1\r\n');
    await bare.flush();
    const seen: object[] = [];
    account.subscribe('to.*', null, (message) => {
      seen.push(copyOf(message));
      return true;
    });
    const block = 'NATS/1.0\r\nA: b\r\n\r\n';
    const reply = Buffer.from('re.größe, and more');
    const replyEnd = Buffer.byteLength('re.größe');
    const subject = 'as';
    // Small, larger than any buffer that is kept for this, and large enough to be sent by reference.
    for (const payload of ['', 'hi', 'x'.repeat(10_000), 'y'.repeat(100_000)]) {
      for (const [header, end] of [
        ['', 0],
        ['', replyEnd],
        [block, 0],
        [block, replyEnd],
      ] as const) {
        const buffer = Buffer.from(`before${header}${payload}behind`);
        const payloadStart = 6 + header.length;
        const payloadEnd = payloadStart + payload.length;
        const message = { subject, reply, replyEnd: end, buffer, headerStart: 6, payloadStart, payloadEnd };
        expect(account.deliverStored('to.x', message)).toBe(3);
        buffer.fill(0);
        const asText = end === 0 ? null : 're.größe';
        expect(seen.pop()).toEqual({ subject, reply: asText, header, payload });
        const head = end === 0 ? 'as 1 ' : `as 1 ${Buffer.from('re.größe').toString('latin1')} `;
        const sizes = header === '' ? '' : `${header.length} `;
        const total = header.length + payload.length;
        expect(await client.flush()).toBe(
          `${header === '' ? '' : 'H'}MSG ${head}${sizes}${total}\r\n${header}${payload}\r\n`,
        );
        expect(await bare.flush()).toBe(`MSG ${head}${payload.length}\r\n${payload}\r\n`);
      }
    }
    const nobody = { subject, reply, replyEnd: 0, buffer: reply, headerStart: 0, payloadStart: 0, payloadEnd: 2 };
    expect(account.deliverStored('nobody', nobody)).toBe(0);
  });

  it('may answer at once, also to the one who is asking', async () => {
    const account = await start();
    account.subscribe('svc', null, (message) => {
      const payload = message.buffer.subarray(message.payloadStart, message.payloadEnd);
      account.deliver(message.reply ?? '', message.reply ?? '', null, null, payload);
      return true;
    });
    const client = await login(port);
    client.send('SUB r 1\r\nSUB svc 2\r\nPUB svc r 2\r\nhi\r\n');
    const got = await client.flush();
    // The answer and the request itself, in any order.
    expect(got.replace('MSG r 1 2\r\nhi\r\n', '')).toBe('MSG svc 2 r 2\r\nhi\r\n');
  });

  it('that answers itself forever is stopped', async () => {
    const account = await start();
    let count = 0;
    account.subscribe('loop', null, () => {
      count++;
      account.deliver('loop', 'loop', null, null, null);
      return true;
    });
    expect(account.deliver('loop', 'loop', null, null, null)).toBe(1);
    expect(count).toBe(DELIVERY_DEPTH_MAX);
    expect(logger.lines.at(-1)).toContain('deep in a loop');
    const client = await subscriber('a');
    expect(account.deliver('a', 'a', null, null, null)).toBe(1);
    expect(await client.flush()).toBe('MSG a 1 0\r\n\r\n');
  });
});

describe('deliver', () => {
  it('matches by one subject and writes another', async () => {
    const account = await start();
    const client = await subscriber('inbox');
    const header = Buffer.from('NATS/1.0\r\nk: v\r\n\r\n');
    expect(account.deliver('inbox', 'stored.subject', '$JS.ACK.x', header, Buffer.from('body'))).toBe(1);
    expect(account.deliver('inbox', 'stored', null, null, null)).toBe(1);
    expect(account.deliver('nobody', 'stored', null, null, null)).toBe(0);
    expect(await client.flush()).toBe(
      'HMSG stored.subject 1 $JS.ACK.x 18 22\r\nNATS/1.0\r\nk: v\r\n\r\nbody\r\nMSG stored 1 0\r\n\r\n',
    );
  });

  it('has copied the bytes when it returns, whatever their number', async () => {
    const account = await start();
    const client = await subscriber('s');
    let expected = '';
    const bytes = Buffer.alloc(200_000);
    for (const size of [10, 5_000, 9_000, 20_000, 140_000, 200_000]) {
      bytes.fill(97 + (size % 7));
      const payload = bytes.subarray(0, size);
      expected += `MSG s 1 r ${size}\r\n${payload.toString('latin1')}\r\n`;
      account.deliver('s', 's', 'r', null, payload);
      bytes.fill(33);
    }
    expect((await client.flush()) === expected).toBe(true);
  });

  it('outside of a publisher turn is written soon, in one go', async () => {
    const account = await start();
    const client = await subscriber('s');
    for (let i = 0; i < 3; i++) account.deliver('s', 's', 'r', null, Buffer.from(`${i}`));
    expect(await client.take('2\r\n')).toBe('MSG s 1 r 1\r\n0\r\nMSG s 1 r 1\r\n1\r\nMSG s 1 r 1\r\n2\r\n');
  });
});

describe('interest', () => {
  it('is there when somebody is subscribed to exactly the subject', async () => {
    const account = await start();
    const client = await subscriber('*');
    client.send('SUB > q 9\r\n');
    await client.flush();
    expect(account.hasInterest('a', null)).toBe(false);
    expect(account.hasInterest('a', 'q')).toBe(false);
    client.send('SUB a q 2\r\n');
    await client.flush();
    expect(account.hasInterest('a', null)).toBe(false);
    expect(account.hasInterest('a', 'q')).toBe(true);
    expect(account.hasInterest('a', 'other')).toBe(false);
    client.send('SUB a 3\r\n');
    await client.flush();
    expect(account.hasInterest('a', null)).toBe(true);
    expect(account.hasInterest('b', null)).toBe(false);
    const stream = account.subscribe('b', null, () => true);
    expect(account.hasInterest('b', null)).toBe(true);
    stream.close();
    expect(account.hasInterest('b', null)).toBe(false);
  });

  it('of anybody at all includes patterns and JetStream', async () => {
    const account = await start();
    expect(account.hasListeners('a')).toBe(false);
    const stream = account.subscribe('*', null, () => true);
    expect(account.hasListeners('a')).toBe(true);
    stream.close();
    expect(account.hasListeners('a')).toBe(false);
  });

  it('ends at once with a connection, however many subscriptions it had', async () => {
    const account = await start();
    const seen: boolean[] = [];
    account.onInterest('last', null, (interested) => seen.push(interested));
    const client = await login(port);
    const count = DROPPED_PER_TURN * 3;
    for (let i = 0; i < count; i++) client.send(`SUB ${i === count - 1 ? 'last' : `s.${i}`} ${i}\r\n`);
    await client.flush();
    const other = await subscriber(`s.${count - 2}`);
    expect(account.hasInterest('last', null)).toBe(true);
    // The violation closes the connection within this turn; what goes to it in the same one reaches nobody.
    let delivered = -1;
    account.subscribe('after', null, () => {
      setImmediate(() => {
        delivered = account.deliver('last', 'last', null, null, null);
        expect(account.hasInterest('last', null)).toBe(false);
        expect(account.hasListeners('last')).toBe(false);
      });
      return true;
    });
    client.send('PUB after 0\r\n\r\nBAD\r\n');
    await expect.poll(() => delivered).toBe(0);
    await expect.poll(() => seen).toEqual([true, false]);
    expect(account.deliver(`s.${count - 2}`, 'x', null, null, null)).toBe(1);
    await other.take('MSG');
  });

  it('is reported when it comes and goes, plain and by queue group, patterns aside', async () => {
    const account = await start();
    const seen: [string, boolean][] = [];
    const plain = account.onInterest('d.x', null, (interested) => seen.push(['plain', interested]));
    const queue = account.onInterest('d.x', 'q', (interested) => seen.push(['queue', interested]));
    const client = await login(port);
    client.send('SUB d.* 0\r\nSUB d.x 1\r\nSUB d.x 2\r\nUNSUB 1\r\nSUB other 3\r\nUNSUB 2\r\n');
    await client.flush();
    expect(seen).toEqual([
      ['plain', true],
      ['plain', false],
    ]);
    seen.length = 0;
    client.send('SUB d.* q 4\r\nSUB d.x q 5\r\n');
    await client.flush();
    expect(seen).toEqual([['queue', true]]);
    seen.length = 0;
    plain.close();
    plain.close();
    client.close();
    await expect.poll(() => seen).toEqual([['queue', false]]);
    queue.close();
    expect(() => account.onInterest('a.*', null, () => {})).toThrowError('literal');
  });
});
