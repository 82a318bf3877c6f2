import { JetStreamAccount } from '../../src/account.ts';
import { type Engine, Usage } from '../../src/engine.ts';
import { type JetStreamOptions, resolveOptions } from '../../src/options.ts';
import type { RawStreamConfig } from '../../src/stream/config-schema.ts';
import type { Stream } from '../../src/stream/stream.ts';
import { FakeHost } from '../fake-host.ts';
import { NO_CONSUMERS } from '../jetstream-harness.ts';
import { type ManualMessages, ManualStorage } from './manual-storage.ts';

/** One stream `S` on `s.>` in a fake host, with a store that commits by hand or at once. */
export interface Bench {
  readonly host: FakeHost;
  readonly stream: Stream;
  readonly store: ManualMessages;
  publish(subject: string, payload?: string, headers?: Record<string, string>): void;
}

export async function openStream(
  config: RawStreamConfig = {},
  { isInstant = true, options = {} }: { isInstant?: boolean; options?: JetStreamOptions } = {},
): Promise<Bench> {
  const host = new FakeHost();
  const storage = new ManualStorage();
  storage.isInstant = isInstant;
  const engine: Engine = {
    host,
    storage,
    settings: resolveOptions(options),
    consumers: NO_CONSUMERS,
    usage: new Usage(),
    accounts: new Map(),
  };
  const account = new JetStreamAccount(engine, host.account());
  engine.accounts.set('$G', account);
  const { stream } = await account.create(account.checkConfig({ name: 'S', subjects: ['s.>'], ...config }));
  return {
    host,
    stream,
    store: storage.stream('S'),
    publish: (subject, payload = '', headers) => {
      host.account().publish(subject, payload, headers === undefined ? {} : { headers });
    },
  };
}
