import { type DebugAnswer, type DebugRequest, type DebugRoute, jsonAnswer, textAnswer } from './route.ts';

type HealthDetail = Readonly<Record<string, unknown>>;

/** How one part of the service is. */
export interface ComponentHealth {
  /** `server`, `jetstream`, `registry`, … */
  readonly name: string;
  /** Why it is not ready, or null when it is. One line. */
  readonly unready: string | null;
  /** Figures for whoever asks for details; nothing secret: the health endpoints ask for no token. */
  readonly detail?: HealthDetail | (() => HealthDetail);
}

/** The service as the probes see it. Answers come from memory: nothing is written, nothing waited for. */
export interface HealthSource {
  readonly version: string;
  readonly uptimeSeconds: number;
  components(): readonly ComponentHealth[];
}

/**
 * `/healthz`: 200 while the process turns. `/readyz`: 200 when every component is ready, else 500 with the reasons.
 * With `?verbose` or `Accept: application/json` both say how each component is.
 */
export function healthRoutes(source: HealthSource): DebugRoute[] {
  return [
    { path: '/healthz', isOpen: true, answer: (request) => answer(source, request, true) },
    { path: '/readyz', isOpen: true, answer: (request) => answer(source, request, false) },
  ];
}

function answer(source: HealthSource, request: DebugRequest, isAlways: boolean): DebugAnswer {
  const components = source.components();
  const reasons = unreadyReasons(components);
  const isOk = isAlways || reasons.length === 0;
  const status = isOk ? 200 : 500;
  if (!wantsJson(request)) return textAnswer(status, isOk ? 'OK' : `Internal Server Error\n${reasons.join('\n')}`);
  return jsonAnswer(status, {
    status: isOk ? 'ok' : 'unavailable',
    version: source.version,
    node: process.versions.node,
    uptime_seconds: Math.floor(source.uptimeSeconds),
    components: Object.fromEntries(components.map((component) => [component.name, shown(component)])),
  });
}

function shown({ unready, detail }: ComponentHealth): HealthDetail {
  const state = unready === null ? { status: 'ok' } : { status: 'unavailable', reason: unready };
  return { ...state, ...(typeof detail === 'function' ? detail() : detail) };
}

/** Why the service is not ready, each reason once; empty when it is. */
export function unreadyReasons(components: readonly ComponentHealth[]): string[] {
  return [...new Set(components.flatMap(({ unready }) => (unready === null ? [] : [unready])))];
}

/** `?verbose=false` and the like are no. */
function wantsJson({ query, headers }: DebugRequest): boolean {
  const verbose = query.get('verbose');
  if (verbose !== null) return verbose !== 'false' && verbose !== '0';
  return headers.accept?.includes('application/json') ?? false;
}
