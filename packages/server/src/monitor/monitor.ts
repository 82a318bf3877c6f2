import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { goTime } from '../go-format.ts';
import { hostPort, ListenError } from '../listener.ts';
import type { MonitorOptions, Settings } from '../options.ts';
import type { TlsMaterial } from '../tls-options.ts';
import { accountz, accstatz, subsz } from './accounts.ts';
import { connz } from './connz.ts';
import { goJson } from './go-json.ts';
import { healthz } from './healthz.ts';
import { jsz } from './jsz.ts';
import { BadRequest, Params } from './params.ts';
import { rootPage } from './root-page.ts';
import { CpuMeter, varz } from './varz.ts';
import type { ServerView } from './view.ts';

/** Connections to the monitoring port at a time; more are closed. */
export const MONITOR_CONNECTIONS_MAX = 1024;
/** Milliseconds a client gets to send its request. */
const REQUEST_TIMEOUT_MS = 10_000;

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
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    const { tls } = settings;
    this.#secureOptions = { minVersion: tls?.minVersion ?? 'TLSv1.2' };
    this.#server =
      options.secure && tls !== null
        ? createSecureServer({ cert: tls.cert, key: tls.key, ...this.#secureOptions }, answer)
        : createServer(answer);
    this.#server.maxConnections = MONITOR_CONNECTIONS_MAX;
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    const queryStart = url.indexOf('?');
    const path = queryStart < 0 ? url : url.slice(0, queryStart);
    try {
      const name = this.#endpointOf(path);
      const query = new URLSearchParams(queryStart < 0 ? '' : url.slice(queryStart + 1));
      if (name === null) notFound(response);
      else this.#serve(name, new Params(query), response);
    } catch (error) {
      if (error instanceof BadRequest) {
        respond(response, 400, 'text/plain; charset=utf-8', error.message);
        return;
      }
      this.#view.logger.error(`Monitoring request ${path} failed: ${String(error)}`);
      if (!response.headersSent) respond(response, 500, 'text/plain; charset=utf-8', 'internal error');
      else response.destroy();
    }
  }

  /** The endpoint behind the base path, '' for the root page, null for any other path. */
  #endpointOf(path: string): string | null {
    if (path === (this.#base === '' ? '/' : this.#base)) return '';
    if (!path.startsWith(`${this.#base}/`)) return null;
    const name = path.slice(this.#base.length + 1);
    return name === '' ? null : name;
  }

  #serve(name: string, params: Params, response: ServerResponse): void {
    const view = this.#view;
    if (name === '') {
      this.#count('/');
      respond(response, 200, 'text/html; charset=utf-8', rootPage(view.settings.version, this.#base));
    } else if (name === 'varz') {
      this.#count('/varz');
      json(response, 200, goJson(varz(view, this.#cpu.sample(view.clock.monotonicMs()), this.#requests), 2));
    } else if (name === 'healthz') {
      this.#count('/healthz');
      const { code, body } = healthz(view, params);
      json(response, code, goJson(body, 0));
    } else if (name === 'ipqueuesz') {
      json(response, 200, '{}');
    } else if (name === 'raftz') {
      respond(response, 404, 'text/plain; charset=utf-8', 'No Raft nodes registered');
    } else if (Object.hasOwn(ENDPOINTS, name)) {
      this.#count(`/${name === 'subscriptionsz' ? 'subsz' : name}`);
      json(response, 200, goJson(ENDPOINTS[name]!(view, params), 2));
    } else {
      notFound(response);
    }
  }

  #count(path: string): void {
    this.#requests.set(path, (this.#requests.get(path) ?? 0) + 1);
  }
}

/** `mon/x`, `/mon/x` and `/mon/x/` are all `/mon/x`; none and `/` are ''. */
function basePath(option: string): string {
  const trimmed = option.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

function json(response: ServerResponse, code: number, body: string): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  respond(response, code, 'application/json', body);
}

function notFound(response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  respond(response, 404, 'text/plain; charset=utf-8', '404 page not found\n');
}

function respond(response: ServerResponse, code: number, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}
