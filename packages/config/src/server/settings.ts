import type { JetStreamConfig, JetStreamLimits, ServerConfig } from './server-config.ts';

/** What one source (the file, or the flags) says; what it does not mention is absent. Values as they were written. */
export type ServerSettings = Mutable<
  Partial<
    Omit<ServerConfig, 'jetstream' | 'configFile' | 'configDigest'> &
      Omit<JetStreamConfig, 'enabled' | 'limits'> & { jetstream: boolean }
  >
> & { limits?: Mutable<Partial<JetStreamLimits>> };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
