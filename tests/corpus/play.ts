import { RawClient, until } from '@nats-ts/tests';
import { type CorpusResult, type CorpusScript, stripInfo } from './load.ts';

/** Pause between two writes, so that the server reads them apart, ms. Results do not depend on it, only log offsets do. */
const BETWEEN_WRITES_MS = 20;
/** How long nothing may come before a recording takes a connection as settled, ms. */
const QUIET_MS = 300;
/** How long a close that takes its time may take, ms. */
const CLOSE_WITHIN_MS = 10_000;

/** What a script brought from one connection, and the number of the connection (`cid`), which the server's log names. */
export interface Played {
  readonly received: Buffer;
  readonly closed: boolean;
  readonly cid: number;
}

/**
 * Plays a script on a fresh connection. With `expected`, as a test does, it waits until as many bytes have come and the
 * connection is in the expected state; without, as the recorder does, until nothing more comes.
 */
export async function playScript(port: number, script: CorpusScript, expected: CorpusResult | null): Promise<Played> {
  await using client = await RawClient.connect(port, { keepInfo: true });
  const cid = Number(/"client_id":(\d+)/.exec(await client.readUntil('\r\n'))?.[1]);
  let awaitClose = false;
  for (const step of script.steps) {
    if (step.do === 'send') {
      client.send(step.bytes);
      await pause(BETWEEN_WRITES_MS);
    } else if (step.do === 'fin') client.socket.end();
    else awaitClose = true;
  }
  const received = (): Buffer => stripInfo(Buffer.from(client.received, 'latin1'));
  if (awaitClose) await until('the server closes the connection', () => client.closed, CLOSE_WITHIN_MS);
  else if (expected === null) await untilQuiet(client);
  else await untilExpected(received, client, expected);
  return { received: received(), closed: client.closed, cid };
}

/** Gives up silently after a while: the caller compares and can say more. */
async function untilExpected(received: () => Buffer, client: RawClient, expected: CorpusResult): Promise<void> {
  try {
    await until('the expected answer', () => {
      const isComplete = received().length >= expected.received.length;
      return isComplete && (client.closed || expected.closed === null);
    });
  } catch {
    // What came instead is in `received`.
  }
}

async function untilQuiet(client: RawClient): Promise<void> {
  let length = -1;
  while (!client.closed && length !== client.received.length) {
    length = client.received.length;
    await pause(QUIET_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
