import type { RegistryEvent } from '@nats-ts/kv-registry';

/** Nodes that are counted; those beyond are not in the figures. */
export const COUNTED_NODES_MAX = 100_000;

/** Which nodes there are, from what a watch reports. */
export class NodeTable {
  readonly #services = new Map<string, Set<string>>();
  #size = 0;

  handle({ action, service }: RegistryEvent): void {
    for (const { id } of service.nodes) {
      if (action === 'delete') this.#remove(service.name, id);
      else this.#add(service.name, id);
    }
  }

  /** Nodes by service. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#services].map(([name, nodes]) => [name, nodes.size]));
  }

  get size(): number {
    return this.#size;
  }

  #add(name: string, id: string): void {
    const nodes = this.#services.get(name) ?? new Set();
    if (nodes.has(id) || this.#size >= COUNTED_NODES_MAX) return;
    nodes.add(id);
    this.#size++;
    this.#services.set(name, nodes);
  }

  #remove(name: string, id: string): void {
    const nodes = this.#services.get(name);
    if (nodes?.delete(id) !== true) return;
    this.#size--;
    if (nodes.size === 0) this.#services.delete(name);
  }
}
