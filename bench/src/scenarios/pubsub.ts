import { Connection, prebuild, writeRepeated } from '../connection.ts';
import type { ScenarioResult } from '../scenario.ts';

export interface PubSubSpec {
  kind: 'pubsub';
  port: number;
  payloadBytes: number;
  subscribers: number;
  messages: number;
}

/** One publisher, some subscribers, one subject; ends when every subscriber has every byte. */
export async function pubsub(spec: PubSubSpec): Promise<ScenarioResult> {
  const subject = 'bench.pubsub';
  const perMessage = Buffer.byteLength(`MSG ${subject} 1 ${spec.payloadBytes}\r\n`) + spec.payloadBytes + 2;
  const expected = perMessage * spec.messages;
  let open = spec.subscribers;
  let allReceived: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    allReceived = resolve;
  });
  const connections: Connection[] = [];
  for (let i = 0; i < spec.subscribers; i++) {
    const subscriber = await Connection.open(spec.port, `sub-${i}`);
    await subscriber.flush(`SUB ${subject} 1\r\n`);
    let bytes = 0;
    subscriber.onBytes((_buffer, length) => {
      bytes += length;
      if (bytes >= expected && bytes - length < expected && --open === 0) allReceived();
    });
    connections.push(subscriber);
  }
  const publisher = await Connection.open(spec.port, 'pub');
  connections.push(publisher);
  const message = Buffer.concat([
    Buffer.from(`PUB ${subject} ${spec.payloadBytes}\r\n`),
    Buffer.alloc(spec.payloadBytes, 'x'),
    Buffer.from('\r\n'),
  ]);
  const { chunk, times, last } = prebuild(message, spec.messages);
  const start = performance.now();
  await writeRepeated(publisher.socket, chunk, times, last);
  await done;
  const seconds = (performance.now() - start) / 1000;
  for (const connection of connections) connection.close();
  return { seconds, messages: spec.messages, delivered: spec.messages * spec.subscribers };
}
