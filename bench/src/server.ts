import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How one of the compared servers is started. */
export interface Contestant {
  name: string;
  command: string;
  /** `jetstream { sync_interval }` of its file, or null for the server's own default. */
  syncInterval: string | null;
}

/** A contestant, running on a port and a store directory of its own. */
export class RunningServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
  }

  static async start(contestant: Contestant, workFolder: string): Promise<RunningServer> {
    const folder = mkdtempSync(join(workFolder, 'server-'));
    const sync = contestant.syncInterval === null ? '' : `, sync_interval: ${contestant.syncInterval}`;
    writeFileSync(join(folder, 'server.conf'), `listen: "127.0.0.1:-1"\njetstream { store_dir: "${folder}"${sync} }\n`);
    const child = spawn(contestant.command, ['-c', join(folder, 'server.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    const port = await new Promise<number>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const match = /Listening for client connections on \S+?:(\d+)/.exec(output);
        if (match && output.includes('Server is ready')) resolve(Number(match[1]));
      });
      child.on('exit', () => reject(new Error(`${contestant.name} ended:\n${output}`)));
      child.on('error', reject);
    });
    return new RunningServer(child, folder, port);
  }

  /** Processor time it has used, seconds. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit');
    const ended = new Promise((resolve) => this.#child.on('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
