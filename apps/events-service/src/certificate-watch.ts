import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from './clock.ts';
import type { ServiceLogger } from './logger.ts';
import { readMaterial, type TlsFiles, type TlsMaterial } from './tls-files.ts';

/** Milliseconds between two looks at the files, for changes that the operating system does not tell of. */
export const TLS_POLL_INTERVAL_MS = 30_000;
/** Milliseconds from a change to the look: certificate and key are seldom written in one go. */
export const TLS_SETTLE_MS = 200;

/** What a CertificateWatch works with. */
export interface CertificateWatchOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

/** Takes new material into use for the connections to come; throws when it cannot, and then the old one stays. */
export type ApplyMaterial = (material: TlsMaterial) => void;

/**
 * Certificate, key and client authority of one listener: read at the start, taken into use when their files change, also by a
 * swapped symbolic link, as Kubernetes updates a mounted secret. What cannot be used is an error in the log, once, and the old ones
 * stay.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #watchers: FSWatcher[] = [];
  /** What was looked at last, usable or not. */
  #seen = '';
  #apply: ApplyMaterial = () => {};
  #poll: { cancel(): void } | null = null;
  #settling: { cancel(): void } | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  /** What to begin with. Rejects naming file and setting of what is missing or cannot be used. */
  async read(): Promise<TlsMaterial> {
    const material = await readMaterial(this.#options.files);
    this.#seen = textOf(material);
    return material;
  }

  /** To be called once, after `read`. Does nothing after `stop`. */
  start(apply: ApplyMaterial): void {
    if (this.#isStopped) return;
    this.#apply = apply;
    const { certFile, keyFile, caFile } = this.#options.files;
    const files = [certFile, keyFile, ...(caFile === '' ? [] : [caFile])];
    const names = new Set(files.map((file) => basename(file)));
    for (const directory of new Set(files.map((file) => dirname(file)))) {
      try {
        const watcher = watch(directory, { persistent: false }, (_, name) => {
          // Other files come and go beside them, the lock of the store for one. Kubernetes swaps a link named `..data`.
          if (name === null || names.has(name) || name.startsWith('..')) this.#changed();
        });
        // A directory that goes away, or too many watches: the poll is left.
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch {
        // As above.
      }
    }
    this.#pollLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#poll?.cancel();
    this.#settling?.cancel();
    for (const watcher of this.#watchers) watcher.close();
  }

  #changed(): void {
    if (this.#settling !== null || this.#isStopped) return;
    this.#settling = this.#options.clock.setTimer(() => {
      this.#settling = null;
      this.#look();
    }, TLS_SETTLE_MS);
  }

  #pollLater(): void {
    this.#poll = this.#options.clock.setTimer(() => {
      this.#look();
      this.#pollLater();
    }, TLS_POLL_INTERVAL_MS);
  }

  /** One look after the other: two that overlap could end in the wrong order. */
  #look(): void {
    this.#looking = this.#looking.then(() => this.#lookNow());
  }

  async #lookNow(): Promise<void> {
    const { files, log } = this.#options;
    try {
      const material = await readMaterial(files);
      if (this.#isStopped || textOf(material) === this.#seen) return;
      this.#apply(material);
      this.#seen = textOf(material);
      log.always(
        `TLS: took the certificate in ${files.certFile} (${files.settings}_CERT) into use for new connections`,
      );
    } catch (error) {
      const text = (error as Error).message;
      if (this.#isStopped || text === this.#seen) return;
      this.#seen = text;
      log.always(`TLS: the certificate stays as it was: ${text}`, {}, 'error');
    }
  }
}

function textOf({ cert, key, ca }: TlsMaterial): string {
  return [cert, key, ca ?? ''].join('\n');
}
