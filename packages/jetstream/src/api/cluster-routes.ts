import { apiError, notSupportedYet } from '../errors/api-error.ts';
import type { ApiRoute, ApiRoutes } from './routes.ts';

/** What needs a cluster is answered with 10010; META.* and SERVER.* stay without an answer (spec/jetstream.md 8). */
function needsCluster(type: string): ApiRoute {
  return {
    type,
    queue: 'main',
    levelCheck: 'never',
    handle() {
      throw apiError('ClusterRequired');
    },
  };
}

export const CLUSTER_ROUTES: ApiRoutes = {
  'STREAM.LEADER.STEPDOWN.*': needsCluster('stream_leader_stepdown_response'),
  'STREAM.PEER.REMOVE.*': needsCluster('stream_remove_peer_response'),
  'STREAM.PEER.EVACUATE.*': needsCluster('stream_evacuate_peer_response'),
  'STREAM.CANCEL_MOVE.*': needsCluster('stream_cancel_move_response'),
  'CONSUMER.LEADER.STEPDOWN.*.*': needsCluster('consumer_leader_stepdown_response'),
  'CONSUMER.PEER.REMOVE.*.*': needsCluster('consumer_remove_peer_response'),
  'CONSUMER.PEER.EVACUATE.*.*': needsCluster('consumer_evacuate_peer_response'),
};

/** Snapshot and restore come with a later release. */
export const SNAPSHOT_ROUTES: ApiRoutes = {
  'STREAM.SNAPSHOT.*': {
    type: 'stream_snapshot_response',
    queue: 'main',
    handle(call, account) {
      if (call.isEmptyRequest) throw apiError('BadRequest');
      account.stream(call.tokens[2]!);
      throw apiError('StreamSnapshot', { err: 'STREAM.SNAPSHOT is not supported yet by nats-ts' });
    },
  },
  'STREAM.RESTORE.*': {
    type: 'stream_restore_response',
    queue: 'main',
    errorFields: { deliver_subject: '' },
    handle(call) {
      if (call.isEmptyRequest) throw apiError('BadRequest');
      throw notSupportedYet('STREAM.RESTORE');
    },
  },
};
