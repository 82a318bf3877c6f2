/** A bare server for measurements: `node --conditions=@nats-ts/source packages/server/bench/serve.ts [port]`. */
import { randomBytes } from 'node:crypto';
import { NatsServer } from '../src/index.ts';

const server = new NatsServer(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? -1) },
  {
    clock: {
      now: () => Date.now(),
      monotonicMs: () => performance.now(),
      setTimer(callback, delayMs) {
        const timeout = setTimeout(callback, delayMs);
        timeout.unref();
        return { cancel: () => clearTimeout(timeout) };
      },
    },
    ids: {
      nuid: () => randomBytes(11).toString('hex'),
      token: (length) => randomBytes(length).toString('hex').slice(0, length),
      random: Math.random,
      bytes: (length) => randomBytes(length),
    },
    logger: {
      info: (text) => process.stderr.write(`${text}\n`),
      warn: (text) => process.stderr.write(`${text}\n`),
      error: (text) => process.stderr.write(`${text}\n`),
      debug: () => {},
      trace: () => {},
    },
  },
);
await server.start();
