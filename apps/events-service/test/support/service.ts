import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { GiveUp } from '../../../../tests/src/deadline.ts';
import { repositoryRoot, ServerProcess, until } from '../../../../tests/src/index.ts';

/** The built program. */
export const BINARY: string = join(repositoryRoot, 'apps/events-service/bin/events-service');

/** Variables for a test: nothing of the machine's own counts, ports are free ones. */
export function serviceEnv(base: string, env: Record<string, string> = {}): Record<string, string> {
  return {
    OCIS_BASE_DATA_PATH: base,
    OCIS_CONFIG_DIR: join(base, 'config'),
    NATS_NATS_PORT: '-1',
    NATS_DEBUG_ADDR: '',
    // No stream of its own among those of the test.
    MICRO_REGISTRY: 'memory',
    // However full the disk of the machine is.
    NATS_DISK_WARN_PERCENT: '0',
    NATS_DISK_CRITICAL_PERCENT: '0',
    ...env,
  };
}

/** Writes `nats.yaml` where `serviceEnv` says it is. */
export function writeYaml(base: string, text: string): string {
  const file = join(base, 'config', 'nats.yaml');
  mkdirSync(join(base, 'config'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Runs a command of the program to its end. */
export function run(
  args: readonly string[],
  env: Record<string, string>,
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(BINARY, args, { encoding: 'utf8', timeout: 20_000, env: { ...process.env, ...env } });
}

/** A line of the log. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** The lines of a JSON log. */
export function logLines(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** The program running. */
export class RunningService implements AsyncDisposable {
  readonly process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.process = process;
  }

  /** Starts it and waits for the line that appears at any log level. */
  static async start(env: Record<string, string>): Promise<RunningService> {
    const service = RunningService.launch(env);
    await service.ready();
    return service;
  }

  /** Starts it without waiting. */
  static launch(env: Record<string, string>): RunningService {
    return new RunningService(new ServerProcess(BINARY, { args: ['server'], env }));
  }

  async ready(): Promise<void> {
    await until('the service is ready', () => {
      if (this.process.exited) throw new GiveUp(`it ended: ${this.process.output}`);
      return this.process.output.includes('Ready for clients on ');
    });
  }

  get output(): string {
    return this.process.output;
  }

  /** `host:port` of the ready line. */
  get address(): string {
    return /Ready for clients on ([^"\s]+)/.exec(this.output)?.[1] ?? '';
  }

  get port(): number {
    return Number(this.address.slice(this.address.lastIndexOf(':') + 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
  }
}

/** Answer of the debug server. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Asks a debug server. */
export function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
  });
}
