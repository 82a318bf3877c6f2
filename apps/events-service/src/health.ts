import { get, type IncomingMessage } from 'node:http';
import { reachableHost, splitAddress } from './address.ts';

const TIMEOUT_MS = 5_000;

/** Asks the running service's debug server whether it is ready. Resolves with one line to print and the exit code. */
export function askHealth(debugAddress: string): Promise<{ line: string; code: number }> {
  if (debugAddress === '')
    return Promise.resolve({ line: 'unhealthy: NATS_DEBUG_ADDR is empty, there is no debug server to ask', code: 1 });
  const address = splitAddress(debugAddress);
  if (address === null)
    return Promise.resolve({
      line: `unhealthy: NATS_DEBUG_ADDR ${JSON.stringify(debugAddress)} is not an address`,
      code: 1,
    });
  const url = `http://${reachableHost(address.host)}:${address.port}/readyz`;
  return new Promise((resolve) => {
    const request = get(url, { timeout: TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        resolve(judge(url, response, body));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', (error) => resolve({ line: `unhealthy: ${url}: ${error.message}`, code: 1 }));
  });
}

function judge(url: string, { statusCode, headers }: IncomingMessage, body: string): { line: string; code: number } {
  // Every answer of the debug server has it; that of the original too.
  if (headers['x-nats-version'] === undefined)
    return { line: `unhealthy: ${url}: something else answers there, with ${statusCode}`, code: 1 };
  if (statusCode === 200) return { line: 'healthy', code: 0 };
  const reasons = body.trim().split('\n').slice(1).join('; ');
  return { line: `unhealthy: ${reasons || statusCode}`, code: 1 };
}
