import { join } from 'node:path';
import {
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { onTestFinished } from 'vitest';
import { freePort, repositoryRoot, TempDir, until } from '../../../../tests/src/index.ts';
import { RunningService, serviceEnv } from './service.ts';

const PROTO = join(repositoryRoot, 'apps/events-service/proto/registry.proto');

/** A service with its gRPC server, in a folder of its own, until the test ends. */
export async function startGrpc(
  env: Record<string, string> = {},
): Promise<{ service: RunningService; grpcPort: number }> {
  const dir = new TempDir('events-grpc');
  const grpcPort = await freePort();
  const service = await RunningService.start(serviceEnv(dir.path, { NATS_GRPC_ADDR: `127.0.0.1:${grpcPort}`, ...env }));
  onTestFinished(async () => {
    await service.process.kill();
    dir[Symbol.dispose]();
  });
  return { service, grpcPort };
}

/** A failed call. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
}

/** What a streaming call gave so far. */
export interface Stream {
  readonly received: Record<string, unknown>[];
  readonly failure: () => CallFailure | null;
  readonly isOpen: () => boolean;
  readonly cancel: () => void;
}

/** A client of one service, made from its proto file. */
export class GrpcClient {
  readonly #client: Client & Record<string, unknown>;
  readonly #metadata = new Metadata();

  constructor(service: string, proto: string, port: number, options: GrpcOptions = {}) {
    const loaded = loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true });
    const Constructor = makeGenericClientConstructor(loaded[service] as ServiceDefinition, service);
    const { credentials: given = credentials.createInsecure(), token, channel = {} } = options;
    this.#client = new Constructor(`localhost:${port}`, given, {
      // Each client a connection of its own.
      'grpc.use_local_subchannel_pool': 1,
      ...channel,
    }) as never;
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
    onTestFinished(() => this.#client.close());
  }

  static registry(port: number, options: GrpcOptions = {}): GrpcClient {
    return new GrpcClient('go.micro.registry.Registry', PROTO, port, options);
  }

  static health(port: number, options: GrpcOptions = {}): GrpcClient {
    return new GrpcClient('grpc.health.v1.Health', healthProto, port, options);
  }

  /** A unary call; rejects with a CallFailure. */
  call(method: string, request: object, deadlineMs = 10_000): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + deadlineMs;
      const run = this.#client[method] as (...args: unknown[]) => void;
      run.call(this.#client, request, this.#metadata, { deadline }, (error: unknown, answer: never) =>
        error ? reject(error as Error) : resolve(answer),
      );
    });
  }

  /** A call that streams both ways: one request after the other, one answer each. */
  converse(method: string, requests: readonly object[]): Promise<unknown[]> {
    const run = this.#client[method] as (metadata: Metadata) => ClientDuplexStream<object, unknown>;
    const call = run.call(this.#client, this.#metadata);
    const answers: unknown[] = [];
    return new Promise((resolve, reject) => {
      call.on('data', (answer: unknown) => {
        if (answers.push(answer) === requests.length) call.end();
      });
      call.on('error', reject);
      call.on('end', () => resolve(answers));
      for (const request of requests) call.write(request);
    });
  }

  /** A streaming call, once the server has taken it or refused it. */
  async stream(method: string, request: object): Promise<Stream> {
    const run = this.#client[method] as (...args: unknown[]) => ClientReadableStream<Record<string, unknown>>;
    const call = run.call(this.#client, request, this.#metadata);
    const received: Record<string, unknown>[] = [];
    let failure: CallFailure | null = null;
    let [taken, open] = [false, true];
    call.on('metadata', () => {
      taken = true;
    });
    call.on('data', (message) => received.push(message));
    call.on('error', (error) => {
      failure = error as unknown as CallFailure;
    });
    call.on('end', () => {
      open = false;
    });
    await until(`${method} is answered`, () => taken || failure !== null);
    return { received, failure: () => failure, isOpen: () => open && failure === null, cancel: () => call.cancel() };
  }
}

export interface GrpcOptions {
  readonly credentials?: ChannelCredentials;
  readonly token?: string;
  readonly channel?: ClientOptions;
}
