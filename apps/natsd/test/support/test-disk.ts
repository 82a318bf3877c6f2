import { NodeFileSystem } from '@nats-ts/jetstream';

type Write = Parameters<NodeFileSystem['write']>;
type Sync = Parameters<NodeFileSystem['fdatasync']>;
type Mode = Parameters<NodeFileSystem['open']>[1];

function diskError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** The machine's disk until a test breaks it or holds it up. */
export class TestDisk extends NodeFileSystem {
  /** Nothing more fits. */
  full = false;
  /** Reading files below a path that contains this waits for `release`. */
  heldPath: string | null = null;
  #held: PromiseWithResolvers<void> | null = null;

  /** Whether somebody waits. */
  get isHolding(): boolean {
    return this.#held !== null;
  }

  release(): void {
    this.heldPath = null;
    this.#held?.resolve();
    this.#held = null;
  }

  override async open(path: string, mode: Mode): Promise<number> {
    if (this.full && mode !== 'read' && mode !== 'update') throw diskError('ENOSPC', 'no space left on device, open');
    return super.open(path, mode);
  }

  override write(...args: Write): void {
    const callback = args[5];
    if (this.full) setImmediate(() => callback(diskError('ENOSPC', 'no space left on device, write'), 0));
    else super.write(...args);
  }

  override fdatasync(...args: Sync): void {
    if (this.full) setImmediate(() => args[1](diskError('ENOSPC', 'no space left on device, fdatasync')));
    else super.fdatasync(...args);
  }

  override async readFile(path: string): Promise<Buffer> {
    if (this.heldPath !== null && path.includes(this.heldPath)) {
      this.#held ??= Promise.withResolvers<void>();
      await this.#held.promise;
    }
    return super.readFile(path);
  }
}
