import type { HeapProfiler } from 'node:inspector';
import { type CallFrame, PprofFile } from './pprof-file.ts';
import { HEAP_SAMPLE_BYTES } from './profiler.ts';
import { SourceLines } from './source-lines.ts';

type Node = HeapProfiler.SamplingHeapProfileNode;

/** Memory that is not in V8's heap, by name. */
export type OtherMemory = Readonly<Record<string, number>>;

/**
 * V8's heap samples in pprof's format.
 *
 * @param kind `inuse_space` for what is alive, `alloc_space` for all that was allocated
 * @param other memory outside of V8's heap, which has no stack: shown as `(name)`
 */
export async function pprofOfHeap(
  { head }: HeapProfiler.SamplingHeapProfile,
  kind: 'inuse_space' | 'alloc_space',
  other: OtherMemory,
  times: { readonly beganMs: number; readonly durationMs: number },
): Promise<Uint8Array> {
  const nodes = [...walk(head)];
  const sources = new SourceLines();
  await sources.read(nodes.map(({ node }) => node.callFrame.url));
  const file = new PprofFile(sources);
  for (const { node, parents } of nodes) {
    if (node.selfSize === 0) continue;
    file.add(
      [node.callFrame, ...parents].map((frame) => file.location(frame)),
      [node.selfSize],
    );
  }
  for (const [name, bytes] of Object.entries(other)) file.add([file.location(outside(name))], [bytes]);
  const unit = { type: kind, unit: 'bytes' };
  return file.encode({
    units: [unit],
    period: HEAP_SAMPLE_BYTES,
    periodUnit: { type: 'space', unit: 'bytes' },
    ...times,
  });
}

function outside(name: string): CallFrame {
  return { functionName: `(${name})`, url: '', lineNumber: -1, columnNumber: 0 };
}

/** Every node below the root, with its callers, the nearest first. */
function* walk(head: Node): Generator<{ node: Node; parents: readonly CallFrame[] }> {
  const open = head.children.map((node) => ({ node, parents: [] as CallFrame[] }));
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    yield at;
    const parents = [at.node.callFrame, ...at.parents];
    for (const node of at.node.children) open.push({ node, parents });
  }
}
