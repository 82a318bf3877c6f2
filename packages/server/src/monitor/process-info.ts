/** /stacksz: what the process is doing. Node has one stack, this one, and a list of what keeps it alive. */
export function stacksz(): string {
  const { stack } = new Error('main');
  const frames = (stack ?? '').split('\n').slice(1);
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  const resources = [...counts].map(([name, count]) => `    ${name} × ${count}`);
  return ['main thread [running]:', ...frames, '', 'active resources:', ...resources, ''].join('\n');
}

/**
 * /debug/vars: the figures of Go's expvar that Node has a counterpart of. The command line is left out, because it may
 * hold a password.
 */
export function debugVars(): object {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    cmdline: [],
    memstats: {
      Alloc: heapUsed,
      Sys: rss,
      HeapAlloc: heapUsed,
      HeapSys: heapTotal,
      HeapIdle: heapTotal - heapUsed,
      HeapInuse: heapUsed,
      OtherSys: external + arrayBuffers,
    },
  };
}
