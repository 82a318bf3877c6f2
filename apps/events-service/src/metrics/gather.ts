import { SERVICE_SERIES_MAX } from './catalogue.ts';
import { gatherStreams, gatherTotals } from './gather-jetstream.ts';
import { gatherServer, gatherSlowConsumers } from './gather-server.ts';
import { gatherRecovery, gatherStore, gatherSyncs } from './gather-store.ts';
import type { Pace } from './pace.ts';
import { labelText, Sheet } from './sheet.ts';
import type { MetricSources } from './sources.ts';

/** Reads all figures of the service. Pauses now and then: the later ones are newer than the first. */
export async function gather(sources: MetricSources, cpu: CpuMeter, pace: Pace): Promise<Sheet> {
  const embedded = sources.embedded();
  const sheet = new Sheet(embedded === null ? {} : { server_id: embedded.server.id });
  const leftOut = { streams: 0, consumers: 0, slow_consumers: 0, services: 0 };
  sheet.set('gnatsd_varz_cpu', cpu.percent());
  sheet.set('gnatsd_varz_mem', process.memoryUsage.rss());
  gatherSyncs(sheet, sources.syncs);
  gatherRecovery(sheet, sources.recovery);
  const disk = sources.disk();
  if (disk !== null) {
    sheet.set('nats_store_disk_total_bytes', disk.totalBytes);
    sheet.set('nats_store_disk_free_bytes', disk.freeBytes);
  }
  if (embedded !== null) {
    const { server, jetstream, storage } = embedded;
    gatherServer(sheet, server.statistics(), server.settings.maxConnections);
    leftOut.slow_consumers = gatherSlowConsumers(sheet, server.slowConsumers());
    if (storage !== null) gatherStore(sheet, storage.stats);
    if (jetstream !== null) {
      gatherTotals(sheet, jetstream.totals());
      Object.assign(leftOut, await gatherStreams(sheet, jetstream, pace));
    }
  }
  leftOut.services = gatherRegistry(sheet, sources.registryNodes());
  gatherService(sheet, sources);
  for (const [kind, count] of Object.entries(leftOut))
    sheet.set('nats_metrics_left_out', count, { ...sheet.common, kind });
  return sheet;
}

function gatherService(sheet: Sheet, sources: MetricSources): void {
  const serverVersion = sources.embedded()?.server.info.version ?? '';
  sheet.set('nats_build_info', 1, {
    ...sheet.common,
    version: sources.version,
    node: process.versions.node,
    server_version: serverVersion,
  });
  sheet.set('nats_ready', sources.isReady() ? 1 : 0);
  for (const [level, count] of sources.logLines) sheet.set('nats_log_lines_total', count, { ...sheet.common, level });
}

/** Returns how many services got no series. */
function gatherRegistry(sheet: Sheet, nodes: ReadonlyMap<string, number> | null): number {
  if (nodes === null) return 0;
  sheet.set('nats_registry_services', nodes.size);
  let shown = 0;
  for (const [service, count] of nodes) {
    if (shown++ === SERVICE_SERIES_MAX) return nodes.size - SERVICE_SERIES_MAX;
    sheet.set('nats_registry_nodes', count, { ...sheet.common, service: labelText(service) });
  }
  return 0;
}

/** CPU use of the process since it was last asked, percent of one core. */
export class CpuMeter {
  #at = performance.now();
  #used = usedMs();

  percent(): number {
    const at = performance.now();
    const used = usedMs();
    const percent = at > this.#at ? ((used - this.#used) / (at - this.#at)) * 100 : 0;
    this.#at = at;
    this.#used = used;
    return Math.round(percent * 10) / 10;
  }
}

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
