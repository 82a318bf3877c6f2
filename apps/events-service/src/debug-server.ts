import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the probes ask; both answers come from memory: neither endpoint writes or waits. */
export interface Probes {
  /** Why the service is not ready, empty when it is. */
  unready(): readonly string[];
}

/** Settings of the `debug` section (spec/ocis.md 1 and 2). */
export interface DebugSettings {
  readonly host: string;
  readonly port: number;
  /** Asked for on everything but the health endpoints when not empty. */
  readonly token: string;
  readonly version: string;
}

const HEADERS_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 256;

/** The debug server: `/healthz` while the process turns, `/readyz` when clients are served and the disk obeys. */
export class DebugServer {
  readonly #settings: DebugSettings;
  readonly #probes: Probes;
  readonly #http: Server;

  constructor(settings: DebugSettings, probes: Probes) {
    this.#settings = settings;
    this.#probes = probes;
    this.#http = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
      (request, response) => this.#answer(request, response),
    );
    this.#http.maxConnections = CONNECTIONS_MAX;
  }

  /** The port it listens on; known once started. */
  get port(): number {
    return (this.#http.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Listens; rejects when it cannot. */
  async start(): Promise<void> {
    const { host, port } = this.#settings;
    this.#http.listen({ host, port });
    try {
      await once(this.#http, 'listening');
    } catch (cause) {
      throw new Error(`cannot listen for the debug server (NATS_DEBUG_ADDR): ${(cause as Error).message}`, { cause });
    }
  }

  async stop(): Promise<void> {
    if (!this.#http.listening) return;
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?', 1)[0];
    setCommonHeaders(response, request, this.#settings.version);
    if (path === '/healthz') {
      send(response, 200, 'OK');
    } else if (path === '/readyz') {
      const reasons = this.#probes.unready();
      if (reasons.length === 0) send(response, 200, 'OK');
      else send(response, 500, `Internal Server Error\n${reasons.join('\n')}`);
    } else if (!this.#isAllowed(request)) {
      refuse(request, response);
    } else {
      send(response, 404, '404 page not found\n');
    }
  }

  #isAllowed(request: IncomingMessage): boolean {
    const { token } = this.#settings;
    if (token === '') return true;
    const given = Buffer.from(request.headers.authorization ?? '');
    const expected = Buffer.from(`Bearer ${token}`);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const id = request.headers['x-request-id'] ?? '';
  const innererror = { date: new Date().toISOString(), 'request-id': id };
  response.writeHead(401, { 'Content-Type': 'application/json' });
  response.end(
    JSON.stringify({ error: { code: 'InvalidAuthenticationToken', innererror, message: 'invalid or missing token' } }),
  );
}

/** The headers that every answer of the original carries (spec/ocis.md 2). */
function setCommonHeaders(response: ServerResponse, request: IncomingMessage, version: string): void {
  response.setHeader('Cache-Control', 'no-cache, no-store, max-age=0, must-revalidate, value');
  response.setHeader('Expires', 'Thu, 01 Jan 1970 00:00:00 GMT');
  response.setHeader('Last-Modified', new Date().toUTCString());
  response.setHeader('X-NATS-VERSION', version);
  response.setHeader('Vary', 'Origin');
  if (request.headers.origin !== undefined) response.setHeader('Access-Control-Allow-Origin', '*');
}
