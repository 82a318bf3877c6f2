import { ClosedConnections } from './closed-connections.ts';
import type { Connection } from './connection/connection.ts';
import type { ServerCounters } from './counters.ts';
import { type ConnectionRecord, closedRecordOf } from './monitor/connection-record.ts';

/** First number given to a client: nats-server keeps the ones before for itself. */
const FIRST_CID = 5;

/** The open connections, and the last ones that closed. */
export class ConnectionRegistry {
  readonly open: Map<number, Connection> = new Map();
  readonly closed: ClosedConnections<ConnectionRecord>;
  readonly #counters: ServerCounters;
  #nextCid = FIRST_CID;

  constructor(maxClosed: number, counters: ServerCounters) {
    this.closed = new ClosedConnections(maxClosed);
    this.#counters = counters;
  }

  takeCid(): number {
    return this.#nextCid++;
  }

  add(connection: Connection): void {
    this.open.set(connection.cid, connection);
    this.#counters.totalConnections++;
  }

  remove(connection: Connection): void {
    const reason = connection.closeReason;
    if (reason === null || !this.open.delete(connection.cid)) return;
    this.#counters.past.add(connection);
    this.closed.add(closedRecordOf(connection, reason, connection.context.clock.now()));
  }
}
