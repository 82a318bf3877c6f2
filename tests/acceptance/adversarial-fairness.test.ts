import { describe, expect, it } from 'vitest';
import { ServerProcess, TempDir, WireClient } from '../src/index.ts';

const LOOPBACK = ['-a', '127.0.0.1', '-p', '-1', '-m', '-1'];

/**
 * Answers that a neighbour got while the others were busy. Time decides nothing: a server that does one thing after
 * the other gives none of them before the last.
 */
async function pingsUntil(neighbour: WireClient, isOver: () => boolean): Promise<number> {
  let answers = 0;
  while (!isOver()) {
    await neighbour.flush();
    answers++;
  }
  return answers;
}

describe('a client that asks for a lot', () => {
  it('in one packet does not keep its neighbours from being served', async () => {
    await using server = await ServerProcess.natsd({ args: LOOPBACK });
    await using neighbour = await WireClient.connect(server.port);
    await using busy = await WireClient.connect(server.port, { echo: false });
    // Two thousand patterns that all fit, each publish with a subject of its own: nothing is remembered.
    busy.raw.send(Array.from({ length: 2000 }, (_, i) => `SUB deep.${'*.'.repeat(i % 40)}> d${i}\r\n`).join(''));
    const deep = 'x.'.repeat(45);
    busy.raw.send(Array.from({ length: 4000 }, (_, i) => `PUB deep.${deep}${i} 0\r\n\r\n`).join(''));
    let isOver = false;
    const over = busy.flush().then(() => {
      isOver = true;
    });
    expect(await pingsUntil(neighbour, () => isOver)).toBeGreaterThan(3);
    await over;
  });

  it('of the API does not keep its neighbours from being served', async () => {
    using dir = new TempDir('adversarial');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using neighbour = await WireClient.connect(server.port);
    await using busy = await WireClient.connect(server.port);
    await busy.request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s.>"],"storage":"memory"}');
    for (let i = 0; i < 2000; i++) busy.publish(`s.${i}`);
    await busy.flush();
    const sid = busy.subscribe('last');
    for (let i = 0; i < 400; i++) busy.publish('$JS.API.STREAM.INFO.S', '{"subjects_filter":">"}');
    busy.publish('$JS.API.STREAM.INFO.S', '', 'last');
    let isOver = false;
    const last = busy.next(sid, 20_000).then((message) => {
      isOver = true;
      return message;
    });
    expect(await pingsUntil(neighbour, () => isOver)).toBeGreaterThan(3);
    expect((await last)?.payload).toContain('"num_subjects":2000');
  });

  it('with twenty thousand subjects or filters is answered at once', async () => {
    using dir = new TempDir('adversarial');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using client = await WireClient.connect(server.port);
    const subjects = Array.from({ length: 20_000 }, (_, i) => `s.${i}`);
    const create = async (stream: string, config: object): Promise<string> => {
      const answer = await client.request(
        `$JS.API.STREAM.CREATE.${stream}`,
        JSON.stringify({ name: stream, ...config }),
      );
      return answer.kind === 'message' ? answer.message.payload.slice(0, 200) : 'silence';
    };
    // Both took the better part of a minute when every pair was tried.
    expect(await create('S', { subjects, storage: 'memory' })).toContain('"name":"S"');
    expect(await create('T', { subjects: ['x', 's.19999'], storage: 'memory' })).toContain('"err_code":10065');
    expect(await create('U', { subjects: [...subjects.map((subject) => `u.${subject}`), 'u.s.*'] })).toContain(
      'subject \\"u.s.0\\" overlaps with \\"u.s.*\\"',
    );
    const config = { name: 'C', filter_subjects: subjects, ack_policy: 'none' };
    const answer = await client.request('$JS.API.CONSUMER.CREATE.S.C', JSON.stringify({ stream_name: 'S', config }));
    expect(answer.kind === 'message' && answer.message.payload.slice(0, 200)).toContain('consumer_create_response');
  });
});

describe('events', () => {
  it('are captured by a stream, and an answer to an API subject is no request', async () => {
    using dir = new TempDir('adversarial');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using client = await WireClient.connect(server.port);
    await client.request('$JS.API.STREAM.CREATE.E', '{"name":"E","subjects":["$JS.EVENT.ADVISORY.>"]}');
    await client.request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s"]}');
    client.publish('$JS.API.INFO', '', '$JS.API.STREAM.NAMES');
    const info = await client.request('$JS.API.STREAM.INFO.E');
    const shown = info.kind === 'message' ? JSON.parse(info.message.payload) : null;
    expect(shown.state.messages).toBeGreaterThanOrEqual(2);
    const account = await client.request('$JS.API.INFO');
    // The two creations, INFO and STREAM.INFO; the answer to the first INFO has not become a request.
    expect(account.kind === 'message' && JSON.parse(account.message.payload).api).toMatchObject({
      total: 4,
      errors: 0,
    });
    const jsz = await fetch(`http://127.0.0.1:${server.monitoringPort}/jsz?accounts=1&streams=1&consumers=1&config=1`);
    expect(jsz.status).toBe(200);
    expect(await jsz.text()).toContain('"name": "E"');
  });
});
