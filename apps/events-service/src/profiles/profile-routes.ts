import { type DebugAnswer, type DebugRequest, type DebugRoute, textAnswer } from '../debug/route.ts';
import { CPU_SAMPLE_US, type Profiler, ProfilerBusyError } from './profiler.ts';

/** Longest profile. */
export const PROFILE_SECONDS_MAX = 120;
/** Length of a profile unless asked otherwise. As in Go. */
const PROFILE_SECONDS = 30;

const ROOT = '/debug/pprof/';
const KINDS: Readonly<Record<string, string>> = {
  profile: `what runs, for ?seconds=${PROFILE_SECONDS}`,
  wall: `the same with the time in which nothing runs, for ?seconds=${PROFILE_SECONDS}`,
  heap: 'memory in use that was allocated since the start; with ?gc=1 garbage is collected first',
  allocs: `memory that is allocated, in use or not, for ?seconds=${PROFILE_SECONDS}; heap begins anew afterwards`,
  trace: `what runs when, for ?seconds=${PROFILE_SECONDS}: a .cpuprofile for Chrome DevTools and speedscope`,
  cmdline: 'how this process was called',
  symbol: 'nothing to look up: profiles have names in them',
};

/** `/debug/pprof/…`, for `go tool pprof` and others. */
export function profileRoutes(profiler: Profiler): DebugRoute[] {
  const routes: Record<string, DebugRoute['answer']> = {
    '': () => textAnswer(200, indexText()),
    cmdline: () => textAnswer(200, [process.execPath, ...process.argv.slice(1)].join('\0')),
    symbol: () => textAnswer(200, 'num_symbols: 0\n'),
    profile: (request) => cpuAnswer(profiler, request, 'cpu'),
    wall: (request) => cpuAnswer(profiler, request, 'wall'),
    heap: (request) => heapAnswer(profiler, request),
    allocs: (request) => allocsAnswer(profiler, request),
    trace: (request) => traceAnswer(profiler, request),
  };
  return Object.entries(routes).map(([name, answer]) => ({
    path: `${ROOT}${name}`,
    answer: (request) => unlessBusy(() => answer(request)),
  }));
}

function indexText(): string {
  const lines = Object.entries(KINDS).map(([name, text]) => `${ROOT}${name.padEnd(8)}  ${text}`);
  return `${lines.join('\n')}\n\nOne at a time, ${PROFILE_SECONDS_MAX} seconds at most. There are no goroutines, threads, blocks and mutexes to show.\n`;
}

async function cpuAnswer(profiler: Profiler, request: DebugRequest, kind: 'cpu' | 'wall'): Promise<DebugAnswer> {
  const seconds = secondsOf(request);
  if (typeof seconds !== 'number') return seconds;
  const { profile, ...times } = await profiler.cpu(kind, seconds, request.signal);
  const { pprofOfCpu } = await import('./cpu-profile.ts');
  return file(
    kind === 'cpu' ? 'profile' : kind,
    await pprofOfCpu(profile, kind, { ...times, intervalUs: CPU_SAMPLE_US }),
  );
}

async function traceAnswer(profiler: Profiler, request: DebugRequest): Promise<DebugAnswer> {
  const seconds = secondsOf(request);
  if (typeof seconds !== 'number') return seconds;
  const { profile } = await profiler.cpu('trace', seconds, request.signal);
  const headers = { 'Content-Disposition': 'attachment; filename="trace.cpuprofile"' };
  return { status: 200, type: 'application/json', body: JSON.stringify(profile), headers };
}

async function heapAnswer(profiler: Profiler, { query }: DebugRequest): Promise<DebugAnswer> {
  const { profile, ...times } = await profiler.heap(Number(query.get('gc')) > 0);
  const { pprofOfHeap } = await import('./heap-profile.ts');
  const { arrayBuffers, external } = process.memoryUsage();
  const other = { buffers: arrayBuffers, external: Math.max(0, external - arrayBuffers) };
  return file('heap', await pprofOfHeap(profile, 'inuse_space', other, times));
}

async function allocsAnswer(profiler: Profiler, request: DebugRequest): Promise<DebugAnswer> {
  const seconds = secondsOf(request);
  if (typeof seconds !== 'number') return seconds;
  const { profile, ...times } = await profiler.allocations(seconds, request.signal);
  const { pprofOfHeap } = await import('./heap-profile.ts');
  return file('allocs', await pprofOfHeap(profile, 'alloc_space', {}, times));
}

function file(name: string, body: Uint8Array): DebugAnswer {
  const headers = { 'Content-Disposition': `attachment; filename="${name}"`, 'X-Content-Type-Options': 'nosniff' };
  return { status: 200, type: 'application/octet-stream', body, headers };
}

/** How long, or why not. */
function secondsOf({ query }: DebugRequest): number | DebugAnswer {
  const text = query.get('seconds');
  if (text === null || text === '') return PROFILE_SECONDS;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= PROFILE_SECONDS_MAX) return seconds;
  return textAnswer(
    400,
    `seconds is ${JSON.stringify(text)}, expected a number above 0 and not above ${PROFILE_SECONDS_MAX}\n`,
  );
}

async function unlessBusy(answer: () => DebugAnswer | Promise<DebugAnswer>): Promise<DebugAnswer> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ProfilerBusyError) return textAnswer(429, `${error.message}\n`);
    throw error;
  }
}
