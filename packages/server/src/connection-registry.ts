import type { CloseReason } from '@nats-ts/protocol';
import { ClosedConnections } from './closed-connections.ts';
import type { Connection } from './connection/connection.ts';
import type { ServerCounters } from './counters.ts';

/** A connection that is gone, as connz shows it. */
export interface ClosedConnection {
  readonly cid: number;
  readonly reason: CloseReason;
  readonly stopMs: number;
  readonly connection: Connection;
}

/** First number given to a client: nats-server keeps the ones before for itself. */
const FIRST_CID = 5;

/** The open connections, and the last ones that closed. */
export class ConnectionRegistry {
  readonly open: Map<number, Connection> = new Map();
  readonly closed: ClosedConnections<ClosedConnection>;
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
    if (!this.open.delete(connection.cid)) return;
    this.#counters.past.add(connection);
  }
}
