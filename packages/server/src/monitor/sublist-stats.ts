import type { SublistStats } from '@nats-ts/sublist';

const ZERO: SublistStats = {
  numSubs: 0,
  numCache: 0,
  numInserts: 0,
  numRemoves: 0,
  numMatches: 0,
  cacheHitRate: 0,
  maxFanout: 0,
  avgFanout: 0,
  cacheHits: 0,
  totalFanout: 0,
};

/** Figures of several lists as if they were one. */
export function addStats(all: readonly SublistStats[]): SublistStats {
  return all.reduce((sum, stats) => {
    const numCache = sum.numCache + stats.numCache;
    const numMatches = sum.numMatches + stats.numMatches;
    const cacheHits = sum.cacheHits + stats.cacheHits;
    const totalFanout = sum.totalFanout + stats.totalFanout;
    return {
      numSubs: sum.numSubs + stats.numSubs,
      numCache,
      numInserts: sum.numInserts + stats.numInserts,
      numRemoves: sum.numRemoves + stats.numRemoves,
      numMatches,
      cacheHitRate: numMatches === 0 ? 0 : cacheHits / numMatches,
      maxFanout: Math.max(sum.maxFanout, stats.maxFanout),
      avgFanout: numCache === 0 ? 0 : totalFanout / numCache,
      cacheHits,
      totalFanout,
    };
  }, ZERO);
}

/** As nats-server names them. */
export function statsJson(stats: SublistStats): object {
  return {
    num_subscriptions: stats.numSubs,
    num_cache: stats.numCache,
    num_inserts: stats.numInserts,
    num_removes: stats.numRemoves,
    num_matches: stats.numMatches,
    cache_hit_rate: stats.cacheHitRate,
    max_fanout: stats.maxFanout,
    avg_fanout: stats.avgFanout,
  };
}
