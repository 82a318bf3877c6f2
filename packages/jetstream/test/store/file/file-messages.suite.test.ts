import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFileSystem } from '../../../src/store/file/file-system.ts';
import { BlockCache } from '../../../src/store/file/messages/block-cache.ts';
import { describeMessageStoreProperties } from '../message-store.prop.suite.ts';
import { describeMessageStore, type StoreFactory } from '../message-store.suite.ts';
import { dependencies, openStream } from './support.ts';

/** @param maxBytes 1 = blocks as small as they get. @param cacheBytes small = blocks are cold most of the time. */
function factory(maxBytes: number, cacheBytes: number): StoreFactory {
  return async (options) => {
    const directory = await mkdtemp(join(tmpdir(), 'nats-ts-messages-'));
    const deps = dependencies(new NodeFileSystem(), { cache: new BlockCache(cacheBytes) });
    const open = () => openStream(directory, deps, { ...options, maxBytes });
    let store = await open();
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await open();
        return store;
      },
      dispose: async () => {
        await store.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  };
}

describeMessageStore('file', factory(-1, 64 * 1024 * 1024));
describeMessageStore('file', factory(1, 1));
describeMessageStoreProperties('file', factory(-1, 64 * 1024 * 1024), 40);
describeMessageStoreProperties('file', factory(1, 1), 40);
