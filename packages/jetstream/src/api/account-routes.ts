import type { JetStreamAccount } from '../account.ts';
import type { AccountLimits } from '../host.ts';
import { API_LEVEL } from '../stream/metadata.ts';
import type { ApiRoutes } from './routes.ts';

/** AccountInfo as INFO prints it (spec/jetstream.md 2.7). */
export function accountInfo(account: JetStreamAccount): Record<string, unknown> {
  return {
    memory: account.usage.memory,
    storage: account.usage.file,
    reserved_memory: account.reserved('memory'),
    reserved_storage: account.reserved('file'),
    streams: account.streams.size + account.offline.size,
    consumers: account.consumerCount,
    limits: shownLimits(account.account.jetstreamLimits),
    api: { level: API_LEVEL, total: account.apiTotal, errors: account.apiErrors },
  };
}

export const ACCOUNT_ROUTES: ApiRoutes = {
  INFO: {
    type: 'account_info_response',
    queue: 'info',
    handle: (call, account) => call.respond(accountInfo(account)),
  },
};

function shownLimits(limits: AccountLimits | null): Record<string, unknown> {
  return {
    max_memory: limits?.maxMemory ?? -1,
    max_storage: limits?.maxStorage ?? -1,
    max_streams: limits?.maxStreams ?? -1,
    max_consumers: limits?.maxConsumers ?? -1,
    max_ack_pending: limits?.maxAckPending ?? -1,
    memory_max_stream_bytes: limits?.memoryMaxStreamBytes ?? -1,
    storage_max_stream_bytes: limits?.storageMaxStreamBytes ?? -1,
    max_bytes_required: limits?.maxBytesRequired ?? false,
  };
}
