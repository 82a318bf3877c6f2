import { Connection } from '../connection.ts';
import type { ScenarioResult } from '../scenario.ts';

export interface RequestSpec {
  kind: 'request';
  port: number;
  payloadBytes: number;
  messages: number;
}

/** One requester with one request in flight, one responder; the percentiles are of the round trip. */
export async function request(spec: RequestSpec): Promise<ScenarioResult> {
  const responder = await Connection.open(spec.port, 'responder');
  await responder.flush('SUB bench.echo 1\r\n');
  const payload = 'x'.repeat(spec.payloadBytes);
  const answer = `PUB _INBOX.bench.1 ${spec.payloadBytes}\r\n${payload}\r\n`;
  const asked = Buffer.byteLength(`MSG bench.echo 1 _INBOX.bench.1 ${spec.payloadBytes}\r\n`) + spec.payloadBytes + 2;
  let pendingAsk = 0;
  responder.onBytes((_buffer, length) => {
    pendingAsk += length;
    if (pendingAsk < asked) return;
    pendingAsk = 0;
    responder.socket.write(answer);
  });
  const requester = await Connection.open(spec.port, 'requester');
  await requester.flush('SUB _INBOX.bench.1 1\r\n');
  const answered = Buffer.byteLength(`MSG _INBOX.bench.1 1 ${spec.payloadBytes}\r\n`) + spec.payloadBytes + 2;
  const ask = `PUB bench.echo _INBOX.bench.1 ${spec.payloadBytes}\r\n${payload}\r\n`;
  const micros = new Float64Array(spec.messages);
  let sent = 0;
  let bytes = 0;
  let sentAt = 0;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    requester.onBytes((_buffer, length) => {
      bytes += length;
      if (bytes < answered) return;
      bytes = 0;
      micros[sent - 1] = (performance.now() - sentAt) * 1000;
      if (sent === spec.messages) resolve();
      else next();
    });
    const next = (): void => {
      sent++;
      sentAt = performance.now();
      requester.socket.write(ask);
    };
    next();
  });
  const seconds = (performance.now() - start) / 1000;
  requester.close();
  responder.close();
  micros.sort();
  const percentile = (p: number): number => micros[Math.min(spec.messages - 1, Math.floor(spec.messages * p))] ?? 0;
  return {
    seconds,
    messages: spec.messages,
    delivered: spec.messages,
    p50Us: percentile(0.5),
    p99Us: percentile(0.99),
  };
}
