import {
  type handleUnaryCall,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { WATCHERS_MAX } from './limits.ts';

/** How often the state is looked at for those who watch it; a check looks at once. */
const LOOK_MS = 200;

type Serving = 'SERVING' | 'NOT_SERVING';
type WatchCall = ServerWritableStream<{ service: string }, object>;

/** The calls of grpc.health.v1.Health, answered from the state of the service itself. */
export class HealthHandlers {
  readonly #isServing: (component: string) => boolean | null;
  readonly #watches = new Map<WatchCall, string>();
  #timer: NodeJS.Timeout | null = null;

  /** @param isServing null: there is no such component */
  constructor(isServing: (component: string) => boolean | null) {
    this.#isServing = isServing;
  }

  /** The handlers by the names of the proto file. */
  get handlers(): UntypedServiceImplementation {
    const check: handleUnaryCall<{ service: string }, object> = (call, callback) => {
      const { service } = call.request;
      const serving = this.#statusOf(service);
      if (serving === null)
        callback({ code: status.NOT_FOUND, details: `there is no component ${JSON.stringify(service)}` });
      else callback(null, { status: serving });
    };
    const list: handleUnaryCall<object, object> = (_call, callback) => callback(null, { statuses: this.#all() });
    return {
      check,
      list,
      watch: (call: WatchCall) => this.#watch(call),
    };
  }

  /** Ends every watch: the server stops. */
  stop(): void {
    for (const call of [...this.#watches.keys()]) {
      this.#drop(call);
      call.write({ status: 'NOT_SERVING' });
      call.end();
    }
  }

  #all(): Record<string, object> {
    return Object.fromEntries(COMPONENTS.map((name) => [name, { status: this.#statusOf(name) }]));
  }

  #statusOf(component: string): Serving | null {
    const isServing = this.#isServing(component);
    if (isServing === null) return null;
    return isServing ? 'SERVING' : 'NOT_SERVING';
  }

  #watch(call: WatchCall): void {
    if (this.#watches.size >= WATCHERS_MAX) {
      const details = `at most ${WATCHERS_MAX} watches run at once`;
      call.emit('error', Object.assign(new Error(details), { code: status.RESOURCE_EXHAUSTED, details }));
      return;
    }
    this.#watches.set(call, '');
    call.on('cancelled', () => this.#drop(call));
    this.#tell(call);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const call of this.#watches.keys()) this.#tell(call);
  }

  #tell(call: WatchCall): void {
    const now = this.#statusOf(call.request.service) ?? 'SERVICE_UNKNOWN';
    // Whoever does not take it gets the newest when it does.
    if (now === this.#watches.get(call) || call.writableLength > 0) return;
    this.#watches.set(call, now);
    call.write({ status: now });
  }

  #drop(call: WatchCall): void {
    this.#watches.delete(call);
    if (this.#watches.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** What can be asked for; empty: the service as a whole. */
export const COMPONENTS: readonly string[] = ['', 'server', 'jetstream', 'registry'];
