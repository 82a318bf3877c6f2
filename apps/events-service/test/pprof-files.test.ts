import type { HeapProfiler, Profiler } from 'node:inspector';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { expect, it } from 'vitest';
import { pprofOfCpu } from '../src/profiles/cpu-profile.ts';
import { pprofOfHeap } from '../src/profiles/heap-profile.ts';

const TIMES = { beganMs: 1_700_000_000_123, durationMs: 10, intervalUs: 1000 };

function frame(functionName: string, line: number): Profiler.ProfileNode['callFrame'] {
  return {
    functionName,
    scriptId: '1',
    url: functionName.startsWith('(') ? '' : 'node:test',
    lineNumber: line - 1,
    columnNumber: 0,
  };
}

/** Samples as `inner:line < outer:line`, with their values. */
function opened(bytes: Uint8Array): Record<string, number[]> {
  const { sample, location, function: functions, stringTable } = Profile.decode(gunzipSync(bytes));
  const nameOf = (id: unknown): string => {
    const { line } = location.find((one) => one.id === id)!;
    const { name } = functions.find((one) => one.id === line[0]!.functionId)!;
    return `${stringTable.strings[Number(name)]}:${line[0]!.line}`;
  };
  return Object.fromEntries(
    sample.map(({ locationId, value }) => [locationId.map(nameOf).join(' < '), value.map(Number)]),
  );
}

/** main calls work, which is hit on two lines; the rest of the time nothing runs. */
const CPU: Profiler.Profile = {
  startTime: 0,
  endTime: 10_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', 0), children: [2, 4] },
    { id: 2, callFrame: frame('main', 10), children: [3] },
    {
      id: 3,
      callFrame: frame('work', 20),
      hitCount: 4,
      positionTicks: [
        { line: 22, ticks: 3 },
        { line: 25, ticks: 1 },
      ],
    },
    { id: 4, callFrame: frame('(idle)', 0), hitCount: 1 },
  ],
  samples: [3, 3, 2, 4, 3, 3],
  timeDeltas: [1000, 1000, 1000, 1000, 4000, 1000],
};

it('gives a sample the time until the next one, and its line by the hits of the lines', async () => {
  expect(opened(await pprofOfCpu(CPU, 'cpu', TIMES))).toEqual({
    'main:10': [1, 1e6],
    'work:22 < main:10': [3, 3e6],
    'work:25 < main:10': [1, 1e6],
  });
});

it('has the time in which nothing runs in a profile of the wall clock only', async () => {
  expect(opened(await pprofOfCpu(CPU, 'wall', TIMES))).toMatchObject({ '(idle):0': [1, 4e6], 'main:10': [1, 1e6] });
});

it('says when it was taken, for how long, and what a sample stands for', async () => {
  const profile = Profile.decode(gunzipSync(await pprofOfCpu(CPU, 'cpu', TIMES)));
  expect(profile.timeNanos).toBe(1_700_000_000_123_000_000n);
  expect(Number(profile.durationNanos)).toBe(10e6);
  expect(Number(profile.period)).toBe(1e6);
});

it('is a profile too when nothing was seen', async () => {
  const nothing = { startTime: 0, endTime: 0, nodes: [], samples: [], timeDeltas: [] };
  expect(opened(await pprofOfCpu(nothing, 'wall', TIMES))).toEqual({});
});

it('names memory outside of the heap, and functions without a name by their place', async () => {
  const node = (
    name: string,
    line: number,
    selfSize: number,
    children: HeapProfiler.SamplingHeapProfileNode[] = [],
  ) => ({
    callFrame: frame(name, line),
    selfSize,
    id: line,
    children,
  });
  const head = node('(root)', 0, 0, [
    node('main', 10, 0, [node('', 20, 300), node('work', 30, 200, [node('deep', 40, 100)])]),
  ]);
  const bytes = await pprofOfHeap({ head }, 'inuse_space', { buffers: 5 }, TIMES);
  expect(opened(bytes)).toEqual({
    '(anonymous node:test:20):20 < main:10': [300],
    'work:30 < main:10': [200],
    'deep:40 < work:30 < main:10': [100],
    '(buffers):0': [5],
  });
});
