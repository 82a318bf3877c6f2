import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new empty folder that goes away at the end of its scope. */
export class TempDir implements Disposable {
  readonly path: string;

  constructor(label = 'test') {
    this.path = mkdtempSync(join(tmpdir(), `nats-ts-${label}-`));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
