import { Traffic } from './traffic.ts';

/** Figures of the whole server for varz. Traffic of open connections is added up when somebody asks. */
export class ServerCounters {
  /** Traffic of connections that are gone. */
  readonly past: Traffic = new Traffic();
  /** Messages the server itself took and sent. */
  readonly internal: Traffic = new Traffic();
  totalConnections = 0;
  slowConsumers = 0;
  staleConnections = 0;
  stalls = 0;
}
