import type { Profiler } from 'node:inspector';
import { type CallFrame, PprofFile } from './pprof-file.ts';
import { SourceLines } from './source-lines.ts';

const NS_PER_US = 1_000;

/** Frames that are no code of this process: waiting, and what V8 could not name. */
const IDLE = '(idle)';
const ROOT = '(root)';

/** Milliseconds since the epoch, and how long it took. */
export interface ProfileTimes {
  readonly beganMs: number;
  readonly durationMs: number;
  /** Time between two samples. */
  readonly intervalUs: number;
}

/**
 * V8's CPU profile in pprof's format. Callers stand with the line where the function begins, the innermost function with the line
 * that ran: V8 does not know more.
 *
 * @param kind `cpu` leaves out the time in which nothing ran; `wall` has it as `(idle)`.
 */
export async function pprofOfCpu(
  profile: Profiler.Profile,
  kind: 'cpu' | 'wall',
  times: ProfileTimes,
): Promise<Uint8Array> {
  const sources = new SourceLines();
  await sources.read(profile.nodes.map(({ callFrame }) => callFrame.url));
  const file = new PprofFile(sources);
  const measured = measure(profile);
  for (const { node, parents } of walk(profile)) {
    const { samples = 0, us = 0 } = measured.get(node.id) ?? {};
    const { functionName } = node.callFrame;
    if (samples === 0 || functionName === ROOT || (kind === 'cpu' && functionName === IDLE)) continue;
    const callers = parents.map((frame) => file.location(frame));
    const ticks = node.positionTicks ?? [];
    const all = ticks.reduce((sum, { ticks: count }) => sum + count, 0);
    if (all === 0) {
      file.add([file.location(node.callFrame), ...callers], [samples, us * NS_PER_US]);
      continue;
    }
    for (const { line, ticks: count } of ticks) {
      const part = count / all;
      file.add([file.location(node.callFrame, line), ...callers], [samples * part, us * NS_PER_US * part]);
    }
  }
  return file.encode({
    units: [
      { type: 'samples', unit: 'count' },
      { type: kind, unit: 'nanoseconds' },
    ],
    period: times.intervalUs * NS_PER_US,
    periodUnit: { type: kind, unit: 'nanoseconds' },
    beganMs: times.beganMs,
    durationMs: times.durationMs,
  });
}

/** Samples and time of each node. The time of a sample is the one until the next. */
function measure({
  samples = [],
  timeDeltas = [],
  endTime,
  startTime,
}: Profiler.Profile): Map<number, { samples: number; us: number }> {
  const measured = new Map<number, { samples: number; us: number }>();
  let at = startTime;
  samples.forEach((id, index) => {
    at += timeDeltas[index] ?? 0;
    const us = Math.max(0, timeDeltas[index + 1] ?? endTime - at);
    const known = measured.get(id);
    if (known === undefined) measured.set(id, { samples: 1, us });
    else {
      known.samples++;
      known.us += us;
    }
  });
  return measured;
}

/** Every node with its callers, the nearest first, without the root. */
function* walk({ nodes }: Profiler.Profile): Generator<{ node: Profiler.ProfileNode; parents: CallFrame[] }> {
  const parentOf = new Map<number, Profiler.ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parentOf.set(child, node);
  for (const node of nodes) {
    const parents: CallFrame[] = [];
    for (let at = parentOf.get(node.id); at !== undefined; at = parentOf.get(at.id)) {
      if (at.callFrame.functionName !== ROOT) parents.push(at.callFrame);
    }
    yield { node, parents };
  }
}
