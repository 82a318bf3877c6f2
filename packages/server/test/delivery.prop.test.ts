import { subjectMatches } from '@nats-ts/sublist';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsServer } from '../src/index.ts';
import { login, type RawClient, startServer } from './support.ts';

let server: NatsServer;
let port: number;

beforeAll(async () => {
  ({ server, port } = await startServer({}));
});

afterAll(async () => {
  await server.shutdown();
});

const CLIENTS = 3;

interface Subscription {
  readonly client: number;
  readonly pattern: string;
  readonly queue: string | null;
  readonly sid: string;
  left: number;
}

const client = fc.integer({ min: 0, max: CLIENTS - 1 });
const sid = fc.integer({ min: 1, max: 4 }).map(String);
const operation = fc.oneof(
  fc.record({
    kind: fc.constant('sub' as const),
    client,
    sid,
    pattern: fc.constantFrom('a', 'a.b', 'a.*', '*.b', '>', 'a.>', 'b'),
    queue: fc.constantFrom(null, null, 'q1', 'q2'),
  }),
  fc.record({ kind: fc.constant('unsub' as const), client, sid, max: fc.integer({ min: 0, max: 3 }) }),
  fc.record({
    kind: fc.constant('pub' as const),
    client,
    subject: fc.constantFrom('a', 'a.b', 'b', 'a.b.c', 'c.b'),
    reply: fc.constantFrom('', 're.ply '),
    header: fc.boolean(),
    size: fc.constantFrom(0, 1, 23, 24, 25, 300, 9_000, 20_000, 140_000),
  }),
);

/** What the subscriptions should get: naively, one message each, and one member of each queue group. */
class Model {
  readonly subscriptions: Subscription[] = [];
  readonly delivered = new Map<Subscription, number>();

  subscribe(client: number, pattern: string, queue: string | null, sid: string): void {
    if (this.find(client, sid) !== undefined) return;
    this.subscriptions.push({ client, pattern, queue, sid, left: Number.POSITIVE_INFINITY });
  }

  unsubscribe(client: number, sid: string, max: number): void {
    const found = this.find(client, sid);
    if (found === undefined) return;
    const delivered = this.delivered.get(found) ?? 0;
    if (max > delivered) found.left = max - delivered;
    else this.remove(found);
  }

  /** Takes the deliveries `got` (client and sid) of a message on `subject` and says what is wrong with them. */
  publish(subject: string, got: readonly { client: number; sid: string }[]): string | null {
    const due = this.subscriptions.filter(({ pattern }) => subjectMatches(subject, pattern));
    const groups = new Map<string, Subscription[]>();
    for (const subscription of due) {
      if (subscription.queue === null) continue;
      groups.set(subscription.queue, [...(groups.get(subscription.queue) ?? []), subscription]);
    }
    const receivers = got.map(({ client, sid }) => this.find(client, sid));
    const plain = due.filter(({ queue }) => queue === null);
    if (receivers.length !== plain.length + groups.size) return `${receivers.length} deliveries`;
    if (new Set(receivers).size !== receivers.length) return 'delivered twice';
    if (!plain.every((subscription) => receivers.includes(subscription))) return 'a plain subscription got nothing';
    for (const [queue, members] of groups) {
      if (members.filter((member) => receivers.includes(member)).length !== 1) return `group ${queue}`;
    }
    for (const receiver of receivers as Subscription[]) {
      this.delivered.set(receiver, (this.delivered.get(receiver) ?? 0) + 1);
      if (--receiver.left === 0) this.remove(receiver);
    }
    return null;
  }

  find(client: number, sid: string): Subscription | undefined {
    return this.subscriptions.find((subscription) => subscription.client === client && subscription.sid === sid);
  }

  remove(subscription: Subscription): void {
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
  }
}

/** Splits what a client received into messages, which must all be `tail` behind the sid. */
function receivedSids(text: string, head: string, tail: string): string[] {
  const sids: string[] = [];
  let at = 0;
  while (at < text.length) {
    expect(text.startsWith(head, at), text.slice(at, at + 60)).toBe(true);
    at += head.length;
    const blank = text.indexOf(' ', at);
    sids.push(text.slice(at, blank));
    at = blank + 1;
    expect(text.startsWith(tail, at), text.slice(at, at + 60)).toBe(true);
    at += tail.length;
  }
  return sids;
}

describe('delivery', () => {
  it('is what a naive model says, for any order of SUB, UNSUB and PUB', async () => {
    const property = fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
      const clients: RawClient[] = [];
      for (let i = 0; i < CLIENTS; i++) clients.push(await login(port));
      const model = new Model();
      for (const step of operations) {
        const actor = clients[step.client]!;
        if (step.kind === 'sub') {
          actor.send(`SUB ${step.pattern} ${step.queue ?? ''} ${step.sid}\r\n`);
          await actor.flush();
          model.subscribe(step.client, step.pattern, step.queue, step.sid);
        } else if (step.kind === 'unsub') {
          actor.send(`UNSUB ${step.sid} ${step.max}\r\n`);
          await actor.flush();
          model.unsubscribe(step.client, step.sid, step.max);
        } else {
          const header = step.header ? 'NATS/1.0\r\nk: v\r\n\r\n' : '';
          const body = `${header}${'p'.repeat(step.size)}`;
          const sizes = step.header ? `${header.length} ${body.length}` : `${body.length}`;
          const tail = `${step.reply}${sizes}\r\n${body}\r\n`;
          actor.send(`${step.header ? 'HPUB' : 'PUB'} ${step.subject} ${tail}`);
          const got: { client: number; sid: string }[] = [];
          const first = await actor.flush();
          for (const [index, one] of clients.entries()) {
            const text = one === actor ? first : await one.flush();
            const head = `${step.header ? 'HMSG' : 'MSG'} ${step.subject} `;
            for (const receiver of receivedSids(text, head, tail)) got.push({ client: index, sid: receiver });
          }
          expect(model.publish(step.subject, got)).toBe(null);
        }
      }
      for (const one of clients) one.close();
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
