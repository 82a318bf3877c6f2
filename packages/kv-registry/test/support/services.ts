import { until } from '../../../../tests/src/index.ts';
import type { Registry, RegistryEvent, Service } from '../../src/index.ts';

export const NAME = 'com.owncloud.api.gateway';

export function service(id: string, extra: Partial<Service> = {}): Service {
  return {
    name: NAME,
    version: '7.3.0',
    metadata: null,
    endpoints: null,
    nodes: [{ id: `${NAME}-${id}`, address: '10.0.0.1:9142', metadata: { protocol: 'grpc', registry: 'cache' } }],
    ...extra,
  };
}

/** The JSON that a Go service puts into its envelope. */
export function goService(id: string): string {
  return `{"name":"${NAME}","version":"7.3.0","metadata":null,"endpoints":[],"nodes":[{"metadata":{"protocol":"grpc","registry":"cache"},"id":"${NAME}-${id}","address":"10.0.0.2:9142"}]}`;
}

export function goKey(id: string): string {
  return `${NAME}@${id}@7.3.0`;
}

/** The nodes that a registry knows, by the ends of their ids. */
export async function nodesOf(registry: Registry): Promise<string[]> {
  const found = await registry.getService(NAME);
  return found.flatMap(({ nodes }) => nodes.map(({ id }) => id.replace(`${NAME}-`, ''))).sort();
}

/** Collects what a watch reports, as `create a`. */
export class Events {
  readonly seen: string[] = [];

  readonly add = ({ action, service: { nodes } }: RegistryEvent): void => {
    this.seen.push(`${action} ${nodes[0]?.id.replace(`${NAME}-`, '')}`);
  };

  async has(...wanted: string[]): Promise<void> {
    await until(`events ${wanted.join(', ')}; seen: ${this.seen.join(', ')}`, () =>
      wanted.every((event) => this.seen.includes(event)),
    );
  }
}
