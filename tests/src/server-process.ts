import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { GiveUp, until, within } from './deadline.ts';
import { type OracleVersion, oraclePath, repositoryRoot } from './oracle.ts';

/** How to start a server as a process of its own. */
export interface ProcessOptions {
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Run it as somebody else; only root may. */
  uid?: number;
  gid?: number;
  /** Nothing of this process's environment is handed on. */
  isolated?: boolean;
  /** How long it may take until it says that it is ready, ms. Default 20 000. */
  readyWithinMs?: number;
}

const running = new Set<ChildProcess>();
// Whatever a failed test left behind goes with the process that ran it, each by its own pid.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A server running as a process: ours or a genuine nats-server. */
export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #output: Buffer[] = [];
  #text = '';

  constructor(command: string, options: ProcessOptions = {}) {
    this.child = spawn(command, options.args ?? [], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...(options.isolated ? {} : process.env), ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    running.add(this.child);
    const keep = (chunk: Buffer): void => {
      this.#output.push(chunk);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.child.on('exit', () => running.delete(this.child));
    this.child.on('error', (error) => this.#output.push(Buffer.from(`${error.message}\n`)));
  }

  /** Starts natsd (the built app) and waits until it is ready. */
  static natsd(options: ProcessOptions = {}): Promise<ServerProcess> {
    return ServerProcess.#ready(join(repositoryRoot, 'apps/natsd/bin/natsd'), options);
  }

  /** Starts the events service (the built app) and waits until its listener accepts. */
  static eventsService(options: ProcessOptions = {}): Promise<ServerProcess> {
    return ServerProcess.#ready(join(repositoryRoot, 'apps/events-service/bin/events-service'), {
      ...options,
      args: options.args ?? ['server'],
    });
  }

  /** Starts a genuine nats-server. Throws where none can be had: ask `oraclePath` first. */
  static oracle(options: ProcessOptions = {}, version: OracleVersion = '2.15'): Promise<ServerProcess> {
    const path = oraclePath(version);
    if (path === null) throw new Error(`no nats-server ${version} at hand`);
    return ServerProcess.#ready(path, options);
  }

  static async #ready(command: string, options: ProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(command, options);
    try {
      await until(
        `${command} is ready`,
        () => {
          if (server.exited) throw new GiveUp(`it ended with ${server.child.exitCode}: ${server.output}`);
          return server.output.includes('Server is ready');
        },
        options.readyWithinMs ?? 20_000,
      );
    } catch (error) {
      await server.kill();
      throw new Error(`${command} did not become ready; its output:\n${server.output}`, { cause: error });
    }
    return server;
  }

  get exited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get pid(): number {
    const pid = this.child.pid;
    if (pid === undefined) throw new Error('the process did not start');
    return pid;
  }

  /** Everything it wrote on stdout and stderr so far. */
  get output(): string {
    if (this.#output.length > 0) {
      this.#text += Buffer.concat(this.#output.splice(0)).toString('utf8');
    }
    return this.#text;
  }

  /** Client port, from the line that nats-server and ours print. */
  get port(): number {
    const match = /Listening for client connections on (\S+?):(\d+)(?!.*Listening for client)/s.exec(this.output);
    if (!match) throw new Error(`no client port in the output:\n${this.output}`);
    return Number(match[2]);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Monitoring port, where `-m` was given. */
  get monitoringPort(): number {
    const match = /Starting http monitor on \S+?:(\d+)/.exec(this.output);
    if (!match) throw new Error(`no monitoring port in the output:\n${this.output}`);
    return Number(match[1]);
  }

  /** Waits for a line that matches. */
  async line(pattern: RegExp, withinMs = 10_000): Promise<RegExpExecArray> {
    return until(`a line ${pattern}`, () => pattern.exec(this.output), withinMs);
  }

  /** Waits for the end; resolves with exit code or signal name. */
  async ended(withinMs = 20_000): Promise<number | string> {
    if (!this.exited) await within(`process ${this.child.pid} ends`, once(this.child, 'exit'), withinMs);
    return this.child.exitCode ?? this.child.signalCode ?? -1;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (!this.exited) this.child.kill(signal);
    return this.ended();
  }

  /** SIGKILL: no chance to write anything more. */
  async kill(): Promise<void> {
    if (this.child.pid === undefined) return;
    await this.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
