import type { Registry } from '@nats-ts/kv-registry';
import type { SpanAttributes, Tracing } from './tracing.ts';

/** What somebody asks of a registry. */
export type RegistryCalls = Pick<
  Registry,
  'register' | 'deregister' | 'announceFor' | 'withdrawFor' | 'getService' | 'listServices' | 'watch'
>;

const SERVICE = 'registry.service';
const VERSION = 'registry.version';

/** The registry with a span for each call (`registry register`); the registry itself where there are no traces. */
export function tracedRegistry(registry: RegistryCalls, tracing: Pick<Tracing, 'call'> | null): RegistryCalls {
  if (tracing === null) return registry;
  const call = <T>(name: string, attributes: SpanAttributes, run: () => Promise<T>): Promise<T> =>
    tracing.call(`registry ${name}`, attributes, run);
  return {
    register: (service) =>
      call('register', { [SERVICE]: service.name, [VERSION]: service.version }, () => registry.register(service)),
    deregister: (service) =>
      call('deregister', { [SERVICE]: service.name, [VERSION]: service.version }, () => registry.deregister(service)),
    announceFor: (service, id) =>
      call('register', { [SERVICE]: service.name, [VERSION]: service.version }, () =>
        registry.announceFor(service, id),
      ),
    withdrawFor: (service, id) =>
      call('deregister', { [SERVICE]: service.name, [VERSION]: service.version }, () =>
        registry.withdrawFor(service, id),
      ),
    getService: (name) => call('get', { [SERVICE]: name }, () => registry.getService(name)),
    listServices: () => call('list', {}, () => registry.listServices()),
    watch: (callback, name = null, signal) =>
      call('watch', name === null ? {} : { [SERVICE]: name }, () => registry.watch(callback, name, signal)),
  };
}
