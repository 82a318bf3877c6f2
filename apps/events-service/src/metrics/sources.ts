import type { EmbeddedServer } from '@nats-ts/natsd';
import type { RecoveryFigures } from './recovery-figures.ts';
import type { SyncFigures } from './sync-figures.ts';

/** Where the figures come from. Read when somebody asks: only syncs and recovery are counted for metrics alone. */
export interface MetricSources {
  readonly version: string;
  isReady(): boolean;
  /** The broker; null before clients are served. */
  embedded(): Pick<EmbeddedServer, 'server' | 'jetstream' | 'storage'> | null;
  readonly syncs: SyncFigures;
  readonly recovery: RecoveryFigures;
  /** Room on the disk of the store; null = not known yet. */
  disk(): { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** Lines written to the log so far, by level. */
  readonly logLines: ReadonlyMap<string, number>;
  /** Nodes in the registry by service; null = there is no registry here. */
  registryNodes(): ReadonlyMap<string, number> | null;
}
