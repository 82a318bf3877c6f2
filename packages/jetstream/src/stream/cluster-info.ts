import type { Host } from '../host.ts';

/** `cluster` of a stream on a single server: the cluster's name only where one is configured (spec/ocis.md 1). */
export function clusterInfo(host: Host): { name?: string; leader: string } {
  return { ...(host.clusterName === null ? {} : { name: host.clusterName }), leader: host.serverName };
}
