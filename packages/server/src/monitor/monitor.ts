import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { posix } from 'node:path';
import type { Duplex } from 'node:stream';
import type { SecureVersion } from 'node:tls';
import { goTime } from '../go-format.ts';
import { hostPort, ListenError } from '../listener.ts';
import type { MonitorOptions, Settings } from '../options.ts';
import type { TlsMaterial } from '../tls-options.ts';
import { accountz, accstatz, subsz } from './accounts.ts';
import { type Answer, html, json, movedTo, notFound, send, sendRaw, text } from './answer.ts';
import { connz } from './connz.ts';
import { goJson } from './go-json.ts';
import { healthz } from './healthz.ts';
import { jsz } from './jsz.ts';
import { BadRequest, Params } from './params.ts';
import { debugVars, stacksz } from './process-info.ts';
import { rootPage } from './root-page.ts';
import { CpuMeter, varz } from './varz.ts';
import type { ServerView } from './view.ts';

/** Connections to the monitoring port at a time; more are closed. */
export const MONITOR_CONNECTIONS_MAX = 1024;
/** Milliseconds a client gets to send its request unless configured. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Method and target of a request as HTTP has them; the first group is the target. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]+ (\/\S*) HTTP\/1\.[01]\r?\n/;

type Endpoint = (server: ServerView, params: Params) => object;

/** Endpoints whose answer is an object, written with an indent of two. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  connz,
  subsz,
  subscriptionsz: subsz,
  accountz,
  accstatz,
  jsz,
  routez: (server) => ({
    ...head(server),
    server_name: server.info.server_name,
    now: now(server),
    num_routes: 0,
    routes: [],
  }),
  gatewayz: (server) => ({ ...head(server), now: now(server), outbound_gateways: {}, inbound_gateways: {} }),
  leafz: (server) => ({ ...head(server), now: now(server), leafnodes: 0, leafs: [] }),
};

function head(server: ServerView): object {
  return { server_id: server.info.server_id };
}

function now(server: ServerView): string {
  return goTime(server.clock.now());
}

/** The monitoring endpoint over HTTP (spec/core.md 8). */
export class Monitor {
  readonly #view: ServerView;
  readonly #options: MonitorOptions;
  readonly #host: string;
  readonly #base: string;
  readonly #server: Server;
  readonly #secureOptions: { readonly minVersion: SecureVersion };
  readonly #requests = new Map<string, number>();
  readonly #cpu = new CpuMeter();

  constructor(view: ServerView, options: MonitorOptions, settings: Settings) {
    this.#view = view;
    this.#options = options;
    this.#host = options.host ?? settings.host;
    this.#base = basePath(options.basePath ?? '');
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      try {
        send(response, this.#answer(request.url ?? '/'));
      } catch (error) {
        // Whatever it is, it costs this request only.
        view.logger.error(`Monitoring request failed: ${String(error)}`);
        response.destroy();
      }
    };
    const { tls } = settings;
    const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    const timeouts = {
      requestTimeout,
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: Math.ceil(requestTimeout / 2),
    };
    this.#secureOptions = { minVersion: tls?.minVersion ?? 'TLSv1.2' };
    this.#server =
      options.secure && tls !== null
        ? createSecureServer({ cert: tls.cert, key: tls.key, ...this.#secureOptions, ...timeouts }, answer)
        : createServer(timeouts, answer);
    this.#server.on('clientError', (error, socket) => this.#refused(error, socket));
    this.#server.maxConnections = MONITOR_CONNECTIONS_MAX;
  }

  get host(): string {
    return this.#host;
  }

  /** The port, once `open` is through; 0 before. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** @throws ListenError */
  async open(): Promise<void> {
    const port = Math.max(0, this.#options.port);
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => reject(new ListenError(hostPort(this.#host, port), error));
      this.#server.once('error', refuse);
      this.#server.listen(port, this.#host, () => {
        this.#server.off('error', refuse);
        this.#server.on('error', () => {});
        resolve();
      });
    });
    const scheme = this.#options.secure ? 'https' : 'http';
    this.#view.logger.info(`Starting ${scheme} monitor on ${hostPort(this.#host, this.port)}`);
  }

  /** New connections get this certificate, where they get one. */
  replaceTls({ cert, key }: TlsMaterial): void {
    if (this.#server instanceof SecureServer) this.#server.setSecureContext({ cert, key, ...this.#secureOptions });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** The answer to a request, whatever its method, as in nats-server. */
  #answer(target: string): Answer {
    // A client that takes this for a proxy gives the whole address.
    const url = target.replace(/^https?:\/\/[^/]*/i, '');
    const queryStart = url.indexOf('?');
    const path = decodePath(queryStart < 0 ? url : url.slice(0, queryStart));
    if (path === null) return text(400, '400 Bad Request');
    const query = queryStart < 0 ? '' : url.slice(queryStart + 1);
    try {
      const clean = posix.normalize(path);
      if (clean !== path) return movedTo(clean, query);
      const name = this.#endpointOf(path);
      return name === null ? notFound() : this.#serve(name, new Params(new URLSearchParams(query)));
    } catch (error) {
      if (error instanceof BadRequest) return text(400, error.message);
      this.#view.logger.error(`Monitoring request ${path} failed: ${String(error)}`);
      return text(500, 'internal error');
    }
  }

  /** What Node does not take for a request: methods it does not know, which nats-server answers as any other. */
  #refused(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex): void {
    socket.on('error', () => {});
    const { code, rawPacket } = error;
    if (code === 'ECONNRESET') socket.destroy();
    else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') sendRaw(socket, text(408, '408 Request Timeout'));
    else if (code === 'HPE_HEADER_OVERFLOW') sendRaw(socket, text(431, '431 Request Header Fields Too Large'));
    else {
      const line = code === 'HPE_INVALID_METHOD' ? REQUEST_LINE.exec(rawPacket?.toString('latin1') ?? '') : null;
      sendRaw(socket, line === null ? text(400, '400 Bad Request') : this.#answer(line[1]!));
    }
  }

  /** The endpoint behind the base path, '' for the root page, null for any other path. */
  #endpointOf(path: string): string | null {
    if (path === (this.#base === '' ? '/' : this.#base)) return '';
    if (!path.startsWith(`${this.#base}/`)) return null;
    const name = path.slice(this.#base.length + 1);
    return name === '' ? null : name;
  }

  #serve(name: string, params: Params): Answer {
    const view = this.#view;
    switch (name) {
      case '':
        this.#count('/');
        return html(rootPage(view.settings.version, this.#base));
      case 'varz':
        this.#count('/varz');
        return json(200, goJson(varz(view, this.#cpu.sample(view.clock.monotonicMs()), this.#requests), 2));
      case 'healthz': {
        this.#count('/healthz');
        const { code, body } = healthz(view, params);
        return json(code, goJson(body, 0));
      }
      case 'ipqueuesz':
        return json(200, '{}');
      case 'raftz':
        return text(404, 'No Raft nodes registered');
      case 'stacksz':
        this.#count('/stacksz');
        return json(200, stacksz());
      case 'debug/vars':
        return { ...text(200, goJson(debugVars(), 0)), type: 'application/json; charset=utf-8' };
    }
    if (!Object.hasOwn(ENDPOINTS, name)) return notFound();
    this.#count(`/${name === 'subscriptionsz' ? 'subsz' : name}`);
    return json(200, goJson(ENDPOINTS[name]!(view, params), 2));
  }

  #count(path: string): void {
    this.#requests.set(path, (this.#requests.get(path) ?? 0) + 1);
  }
}

/** The path without percent signs; null if it cannot be read, or is none. */
function decodePath(path: string): string | null {
  if (!path.startsWith('/')) return null;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** `mon/x`, `/mon/x` and `/mon/x/` are all `/mon/x`; none and `/` are ''. */
function basePath(option: string): string {
  const trimmed = option.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}
