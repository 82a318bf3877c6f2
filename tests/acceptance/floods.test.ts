import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServerProcess, TempDir, until, WireClient } from '../src/index.ts';

const LOOPBACK = ['-a', '127.0.0.1', '-p', '-1', '-m', '-1'];
const PATIENCE_MS = 60_000;

/** Sends `frame` so many times, as fast as the socket takes it, and waits until the server has worked it off. */
async function flood(client: WireClient, frame: string, times: number): Promise<void> {
  const { socket } = client.raw;
  const portion = Buffer.from(frame.repeat(200));
  for (let sent = 0; sent < times; sent += 200) {
    if (!socket.write(portion)) await once(socket, 'drain');
  }
  socket.write('PING\r\n');
  await client.raw.readUntil('PONG\r\n', PATIENCE_MS);
}

async function ask(client: WireClient, subject: string, body: object | null = null): Promise<Record<string, unknown>> {
  const answer = await client.request(`$JS.API.${subject}`, body === null ? '' : JSON.stringify(body));
  if (answer.kind === 'silence') throw new Error(`no answer from ${subject}`);
  return JSON.parse(answer.message.payload) as Record<string, unknown>;
}

async function messagesIn(client: WireClient, stream: string): Promise<number> {
  const { state } = (await ask(client, `STREAM.INFO.${stream}`)) as { state: { messages: number } };
  return state.messages;
}

describe('a flood', () => {
  // Three times what may wait for the disk: nats-server loses some of them with "IPQ len limit reached".
  it('of messages that nobody waits for loses none of them', async () => {
    using dir = new TempDir('flood');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using control = await WireClient.connect(server.port);
    await ask(control, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    const frame = `PUB s.x 256\r\n${'x'.repeat(256)}\r\n`;
    const publishers = await Promise.all(Array.from({ length: 3 }, () => WireClient.connect(server.port)));
    await Promise.all(publishers.map((publisher) => flood(publisher, frame, 100_000)));
    for (const publisher of publishers) publisher.raw.socket.destroy();
    expect(await messagesIn(control, 'S')).toBe(300_000);
    expect(server.output).not.toContain('Dropping messages');
  });

  it('of requests to the API is answered, all twenty thousand of them', async () => {
    using dir = new TempDir('flood');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using control = await WireClient.connect(server.port);
    await ask(control, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    await ask(control, 'STREAM.CREATE.A', { name: 'A', subjects: ['answers'], storage: 'memory' });
    await using asking = await WireClient.connect(server.port);
    const asked = flood(asking, 'PUB $JS.API.STREAM.INFO.S answers 0\r\n\r\n', 20_000);
    // Who asks for little is served in between.
    expect(await ask(control, 'STREAM.NAMES')).toMatchObject({ streams: ['A', 'S'] });
    await asked;
    await until('all answers', async () => (await messagesIn(control, 'A')) === 20_000, PATIENCE_MS);
    expect(server.output).not.toContain('queue limit reached');
  });

  it('does not keep the server from stopping', async () => {
    using dir = new TempDir('flood');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using control = await WireClient.connect(server.port);
    await ask(control, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    const frame = `PUB s.x 256\r\n${'x'.repeat(256)}\r\n`;
    await using publisher = await WireClient.connect(server.port);
    for (let i = 0; i < 100; i++) publisher.raw.send(frame.repeat(5000));
    await until('some messages', async () => (await messagesIn(control, 'S')) > 0, PATIENCE_MS);
    expect(await server.stop()).toBe(0);
    expect(server.output).not.toContain('[ERR]');
  });
});
