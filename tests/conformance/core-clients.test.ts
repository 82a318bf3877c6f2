import {
  connect as connectNew,
  type MsgHdrs,
  type NatsConnection,
  headers as newHeaders,
  RequestError,
} from '@nats-io/transport-node';
import { connect as connectOld, ErrorCode, headers as oldHeaders } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeTargets, type ServerProcess, until } from '../src/index.ts';

describeTargets('core NATS through the official clients', (target) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await target.start();
  });
  afterAll(async () => {
    await server.kill();
  });

  for (const [generation, connect, headers] of [
    // Both generations have the same shape as far as these tests go.
    ['nats 2', connectOld as unknown as typeof connectNew, oldHeaders as unknown as () => MsgHdrs],
    ['@nats-io 3', connectNew, newHeaders],
  ] as const) {
    describe(generation, () => {
      const open = (): Promise<NatsConnection> => connect({ servers: server.url, name: 'conformance' });

      it('delivers to wildcards, and one copy per queue group', async () => {
        const publisher = await open();
        const consumer = await open();
        const seen: string[] = [];
        const note = (label: string) => (_error: Error | null, message: { subject: string }) => {
          seen.push(`${label} ${message.subject}`);
        };
        consumer.subscribe('w.*.x', { callback: note('star') });
        consumer.subscribe('w.>', { callback: note('tail') });
        consumer.subscribe('w.a.x', { callback: note('literal') });
        for (let i = 0; i < 3; i++) consumer.subscribe('w.a.x', { queue: 'q', callback: note('queue') });
        await consumer.flush();
        publisher.publish('w.a.x', 'hello');
        publisher.publish('w.a.y');
        await publisher.flush();
        await consumer.flush();
        expect(seen.sort()).toEqual(['literal w.a.x', 'queue w.a.x', 'star w.a.x', 'tail w.a.x', 'tail w.a.y']);
        await Promise.all([publisher.close(), consumer.close()]);
      });

      it('answers requests, and says at once when nobody is there', async () => {
        const service = await open();
        const client = await open();
        service.subscribe('echo', {
          callback: (_error, message) =>
            void message.respond(message.data, message.headers ? { headers: message.headers } : {}),
        });
        await service.flush();
        const head = headers();
        head.append('K', 'v1');
        head.append('K', 'v2');
        const answer = await client.request('echo', 'ping', { timeout: 5_000, headers: head });
        expect(answer.string()).toBe('ping');
        expect(answer.headers?.values('K')).toEqual(['v1', 'v2']);
        const failure = await client.request('nobody', '', { timeout: 5_000 }).then(
          () => null,
          (error: unknown) => error,
        );
        const noResponders =
          failure instanceof RequestError
            ? failure.isNoResponders()
            : (failure as { code?: string } | null)?.code === ErrorCode.NoResponders;
        expect(noResponders).toBe(true);
        await Promise.all([service.close(), client.close()]);
      });

      it('carries payloads up to max_payload, empty ones and every byte value', async () => {
        const client = await open();
        const sizes: number[] = [];
        let last: Uint8Array = new Uint8Array();
        client.subscribe('bytes', {
          callback: (_error, message) => {
            sizes.push(message.data.length);
            last = message.data;
          },
        });
        const most = client.info?.max_payload ?? 0;
        expect(most).toBe(1_048_576);
        client.publish('bytes', new Uint8Array(0));
        client.publish('bytes', new Uint8Array(most));
        client.publish(
          'bytes',
          Uint8Array.from({ length: 256 }, (_, i) => i),
        );
        await client.flush();
        await until('three messages', () => sizes.length === 3);
        expect(sizes).toEqual([0, most, 256]);
        expect([...last]).toEqual(Array.from({ length: 256 }, (_, i) => i));
        await client.close();
      });

      it('stops after max messages and after a drain', async () => {
        const client = await open();
        const seen: string[] = [];
        client.subscribe('limited', {
          max: 2,
          callback: (_error, message) => void seen.push(`limited ${message.string()}`),
        });
        const drained = client.subscribe('drained', {
          callback: (_error, message) => void seen.push(`drained ${message.string()}`),
        });
        for (let i = 0; i < 4; i++) client.publish('limited', `${i}`);
        client.publish('drained', '1');
        await drained.drain();
        client.publish('drained', '2');
        await client.flush();
        expect(seen).toEqual(['limited 0', 'limited 1', 'drained 1']);
        await client.close();
      });

      it('measures the round trip and drains connections', async () => {
        const client = await open();
        expect(await client.rtt()).toBeGreaterThanOrEqual(0);
        await client.drain();
        expect(client.isClosed()).toBe(true);
      });
    });
  }

  it('tells new clients and old ones apart by nothing they can see: 100 connections talk to each other', async () => {
    const clients = await Promise.all(
      Array.from({ length: 50 }, () =>
        Promise.all([connectOld({ servers: server.url }), connectNew({ servers: server.url })]),
      ),
    );
    let received = 0;
    for (const [old, fresh] of clients) {
      old.subscribe('all', { callback: () => void received++ });
      fresh.subscribe('all', { callback: () => void received++ });
    }
    await Promise.all(clients.flat().map((client) => client.flush()));
    for (const [old, fresh] of clients) {
      old.publish('all', 'x');
      fresh.publish('all', 'x');
    }
    await until('every client has every message', () => received === 100 * 100);
    await Promise.all(clients.flat().map((client) => client.close()));
  });
});

describeTargets('credentials', (target) => {
  for (const [title, args, right, wrong] of [
    ['user and password', ['--user', 'u', '--pass', 'p'], { user: 'u', pass: 'p' }, { user: 'u', pass: 'x' }],
    ['token', ['--auth', 't0k3n'], { token: 't0k3n' }, { token: 'x' }],
  ] as const) {
    it(`lets in who has the ${title}, refuses others`, async () => {
      await using server = await target.start({ args });
      const client = await connectNew({ servers: server.url, ...right });
      await client.flush();
      await client.close();
      for (const options of [wrong, {}]) {
        await expect(connectNew({ servers: server.url, ...options, reconnect: false })).rejects.toThrow(
          /authorization violation/i,
        );
      }
    });
  }
});
