import { randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type DebugAnswer, type DebugRequest, type DebugRoute, PLAIN_TEXT } from './route.ts';

/** Settings of the `debug` section (spec/ocis.md 1 and 2). */
export interface DebugSettings {
  readonly host: string;
  readonly port: number;
  /** Asked for on everything but open routes when not empty. */
  readonly token: string;
  readonly version: string;
  /** Told when a route fails. */
  readonly onError: (text: string) => void;
}

const HEADERS_TIMEOUT_MS = 5_000;
/** Connections at a time; more are closed. */
export const CONNECTIONS_MAX = 256;

/** The debug server: routes over HTTP behind a token. */
export class DebugServer {
  readonly #settings: DebugSettings;
  readonly #routes = new Map<string, DebugRoute>();
  readonly #http: Server;

  /** @throws Error if two routes have one path. */
  constructor(settings: DebugSettings, routes: Iterable<DebugRoute>) {
    this.#settings = settings;
    for (const route of routes) {
      if (this.#routes.has(route.path)) throw new Error(`two routes of the debug server have the path ${route.path}`);
      this.#routes.set(route.path, route);
    }
    this.#http = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
      (request, response) => void this.#answer(request, response),
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

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setCommonHeaders(response, request, this.#settings.version);
    if (isPreflight(request)) {
      answerPreflight(request, response);
      return;
    }
    const { path, query } = split(request.url ?? '/');
    const route = this.#routes.get(path);
    if (route?.isOpen !== true && !this.#isAllowed(request)) {
      refuse(request, response);
      return;
    }
    if (route === undefined) {
      send(response, { status: 404, type: PLAIN_TEXT, body: '404 page not found\n' });
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      send(response, await route.answer({ path, query, headers: request.headers, signal: gone.signal }));
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#settings.onError(`debug server: ${path}: ${(error as Error).message}`);
      send(response, { status: 500, type: PLAIN_TEXT, body: `Internal Server Error\n${(error as Error).message}\n` });
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

function split(url: string): Pick<DebugRequest, 'path' | 'query'> {
  const at = url.indexOf('?');
  if (at < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

function send(response: ServerResponse, { status, type, body, headers }: DebugAnswer): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'Content-Type': type, ...headers });
  if (!Array.isArray(body)) {
    response.end(body);
    return;
  }
  for (const part of body) response.write(part);
  response.end();
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const id = request.headers['x-request-id'] ?? randomUUID();
  const innererror = { date: new Date().toISOString(), 'request-id': id };
  const error = { code: 'InvalidAuthenticationToken', innererror, message: 'invalid or missing token' };
  send(response, { status: 401, type: 'application/json', body: JSON.stringify({ error }) });
}

/** A browser asks whether a page may ask. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  response.setHeader('Access-Control-Allow-Methods', headers['access-control-request-method'] ?? '');
  response.writeHead(204);
  response.end();
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
