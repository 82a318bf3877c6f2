import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileStorage } from '../../src/store/file/file-storage.ts';
import { hh64 } from '../../src/store/hash/highwayhash.ts';
import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import type { AssetMeta, StreamStore } from '../../src/store/store.ts';
import { turns } from '../manual-clock.ts';
import {
  anyOptions,
  consumerMeta,
  openStorage,
  openUnstored,
  streamMeta,
  type TestDependencies,
  testDependencies,
} from './dependencies.ts';
import { SimulatedFileSystem } from './simulated-fs.ts';
import { append, committed, storeOptions } from './support.ts';

function checksumOf(name: string, bytes: Buffer): string {
  return hh64(createHash('sha256').update(name).digest(), bytes).toString('hex');
}

describe('file storage', () => {
  let directory: string;
  let deps: TestDependencies;
  let storage: FileStorage;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'nats-ts-store-'));
    await open();
  });
  afterEach(async () => {
    await storage.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    deps = testDependencies();
    storage = await openStorage(directory, deps);
  }

  async function reopen(): Promise<StreamStore[]> {
    await storage.close();
    await open();
    return (await storage.recoverAccount('$G', anyOptions)).streams;
  }

  const path = (...parts: string[]): string => join(directory, 'jetstream', ...parts);

  it("lays out a stream and a consumer as nats-server does, for the owner's eyes only", async () => {
    const stream = await storage.createStream('$G', 'ORDERS', streamMeta('ORDERS'), storeOptions());
    await stream.createConsumer('C1', consumerMeta('C1'), false);
    const root = path('$G', 'streams', 'ORDERS');
    expect(readdirSync(root).sort()).toEqual(['meta.copy', 'meta.inf', 'meta.sum', 'msgs', 'obs']);
    expect(readdirSync(join(root, 'obs', 'C1')).sort()).toEqual(['meta.inf', 'meta.sum']);
    const meta = readFileSync(join(root, 'meta.inf'));
    expect(readFileSync(join(root, 'meta.sum'), 'utf8')).toBe(checksumOf('ORDERS', meta));
    const own = readFileSync(join(root, 'obs', 'C1', 'meta.inf'));
    expect(readFileSync(join(root, 'obs', 'C1', 'meta.sum'), 'utf8')).toBe(checksumOf('ORDERS/C1', own));
    expect(own.toString()).toMatch(/^\{"Created":"2026-01-02T03:04:06.5Z","Name":"C1","durable_name":"C1",/);
    for (const one of ['', 'obs', 'obs/C1', 'msgs', '..', '../..']) {
      expect(statSync(join(root, one)).mode & 0o777).toBe(0o700);
    }
    for (const one of ['meta.inf', 'meta.sum', 'obs/C1/meta.inf', 'obs/C1/meta.sum']) {
      expect(statSync(join(root, one)).mode & 0o777).toBe(0o600);
    }
  });

  it('writes a configuration byte for byte as nats-server 2.15.1 does', async () => {
    const text =
      '{"Created":"2026-11-21T02:28:23.502986847Z","name":"ORDERS","description":"a \\u0026 b","subjects":["o.\\u003e"],' +
      '"retention":"limits","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"max_msgs_per_subject":-1,' +
      '"max_msg_size":-1,"discard":"old","storage":"file","num_replicas":1,"duplicate_window":120000000000,' +
      '"compression":"none","allow_direct":false,"mirror_direct":false,"sealed":false,"deny_delete":false,' +
      '"deny_purge":false,"allow_rollup_hdrs":false,"consumer_limits":{},"allow_msg_ttl":false,' +
      '"metadata":{"_nats.req.level":"0","a":"\\u003cy\\u003e","b":"x"}}';
    const { Created: created, ...config } = JSON.parse(text);
    // As the API got it: other order, same map.
    config.metadata = { b: 'x', a: '<y>', '_nats.req.level': '0' };
    await storage.createStream('$G', 'ORDERS', { created, config }, storeOptions());
    const root = path('$G', 'streams', 'ORDERS');
    expect(readFileSync(join(root, 'meta.inf'), 'utf8')).toBe(text);
    // What nats-server wrote beside it.
    expect(readFileSync(join(root, 'meta.sum'), 'utf8')).toBe('4a1a7cf2623f996d');
  });

  it('brings streams and consumers back with their configuration, 64-bit integers exactly', async () => {
    const meta = streamMeta('S', {
      max_age: 9_223_372_036_854_775_807n,
      max_bytes: 9_007_199_254_740_993n,
      max_msgs: -1,
    });
    const stream = await storage.createStream('$G', 'S', meta, storeOptions());
    await stream.createConsumer('A', consumerMeta('A', { filter_subject: 'S.<x>' }), false);
    await storage.createStream('$G', 'T', streamMeta('T'), storeOptions());
    const streams = await reopen();
    expect(streams.map(({ name, meta: found }) => [name, found])).toEqual([
      ['S', meta],
      ['T', streamMeta('T')],
    ]);
    expect(streams[0]!.recoveredConsumers().map(({ name, meta: found }) => [name, found])).toEqual([
      ['A', consumerMeta('A', { filter_subject: 'S.<x>' })],
    ]);
    expect(storage.stats.recoveredStreams).toBe(2);
  });

  it('keeps an updated configuration; the last of several wins', async () => {
    const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    const metas = [1, 2, 3].map((max_msgs) => streamMeta('S', { max_msgs }));
    await Promise.all(metas.map((meta) => stream.updateMeta(meta)));
    expect(stream.meta).toEqual(metas[2]);
    expect((await reopen())[0]?.meta).toEqual(metas[2]);
    expect(readdirSync(path('$G', 'streams', 'S')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('keeps accounts apart', async () => {
    await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    await storage.createStream('ACME.Inc', 'S', streamMeta('S', { max_msgs: 5 }), storeOptions());
    mkdirSync(path('empty'));
    writeFileSync(path('file'), '');
    expect(await storage.accounts()).toEqual(['$G', 'ACME.Inc']);
    expect((await storage.recoverAccount('nobody', anyOptions)).streams).toEqual([]);
    await storage.close();
    await open();
    const { streams } = await storage.recoverAccount('ACME.Inc', anyOptions);
    expect(streams[0]?.meta.config['max_msgs']).toBe(5);
  });

  it('keeps memory streams in memory only', async () => {
    const stream = await storage.createStream('$G', 'M', streamMeta('M'), storeOptions({ kind: 'memory' }));
    append(stream.messages, 'M.a', 'x');
    await committed(stream.messages);
    expect(stream.messages.kind).toBe('memory');
    await expect(storage.createStream('$G', 'M', streamMeta('M'), storeOptions())).rejects.toThrow('exists already');
    expect(await reopen()).toEqual([]);
    expect(readdirSync(path())).toEqual([]);
  });

  it('takes a deleted stream away at once and its files with it', async () => {
    const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    await stream.createConsumer('C', consumerMeta('C'), false);
    await stream.delete();
    await storage.createStream('$G', 'S', streamMeta('S', { max_msgs: 7 }), storeOptions());
    const [again] = await reopen();
    expect(again?.meta.config['max_msgs']).toBe(7);
    expect(again?.recoveredConsumers()).toEqual([]);
    expect(readdirSync(path('$G', 'streams'))).toEqual(['S']);
    await expect(again!.delete()).resolves.toBeUndefined();
    await expect(again!.updateMeta(streamMeta('S'))).rejects.toThrow('deleted');
    await expect(again!.createConsumer('D', consumerMeta('D'), false)).rejects.toThrow('deleted');
  });

  it('lets what is being created finish before the stream goes, and leaves nothing of it', async () => {
    const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    const creating = [
      stream.createConsumer('A', consumerMeta('A'), false),
      stream.createConsumer('B', consumerMeta('B'), false),
    ];
    const deleting = stream.delete();
    await Promise.allSettled(creating);
    await deleting;
    await storage.close();
    expect(readdirSync(path('$G', 'streams'))).toEqual([]);
    await open();
  });

  it('clears away what an interrupted deletion or creation left', async () => {
    const streams = path('$G', 'streams');
    for (const name of ['.S', '.nats-ts-0123']) {
      mkdirSync(join(streams, name, 'msgs'), { recursive: true });
      writeFileSync(join(streams, name, 'meta.inf'), '{"name":"S"}');
    }
    expect(await reopen()).toEqual([]);
    await storage.close();
    expect(readdirSync(streams)).toEqual([]);
    await open();
  });

  it('deletes a stream whose name leaves no room for the dot', async () => {
    const name = 'n'.repeat(255);
    const stream = await storage.createStream('$G', name, streamMeta(name), storeOptions());
    await stream.delete();
    expect(await reopen()).toEqual([]);
  });

  it.each(['', '.', '..', '.hidden', 'a/b', '../../etc', 'a\\b', 'a\0b', 'x'.repeat(256), '\udc80'])(
    'refuses the name %j, which is no directory of its own',
    async (name) => {
      const refusal = /cannot be stored/;
      await expect(storage.createStream('$G', name, streamMeta('S'), storeOptions())).rejects.toThrow(refusal);
      await expect(storage.createStream(name, 'S', streamMeta('S'), storeOptions())).rejects.toThrow(refusal);
      await expect(storage.recoverAccount(name, anyOptions)).rejects.toThrow(refusal);
      const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
      await expect(stream.createConsumer(name, consumerMeta('C'), false)).rejects.toThrow(refusal);
      await expect(stream.createConsumer(name, consumerMeta('C'), true)).rejects.toThrow(refusal);
    },
  );

  describe('what is damaged or not understood', () => {
    const root = (): string => path('$G', 'streams', 'S');

    async function recover(
      options: (meta: AssetMeta) => ReturnType<typeof anyOptions> | { offline: string } = anyOptions,
    ) {
      await open();
      return storage.recoverAccount('$G', options);
    }

    beforeEach(async () => {
      const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
      await stream.createConsumer('C', consumerMeta('C'), false);
      await stream.createConsumer('D', consumerMeta('D'), false);
      await storage.close();
    });

    it.each([
      ['wrong', (): void => writeFileSync(join(root(), 'meta.sum'), '0123456789abcdef')],
      ['missing', (): void => rmSync(join(root(), 'meta.sum'))],
    ])('loads a stream whose meta.sum is %s, says so and writes it anew', async (_what, damage) => {
      damage();
      const { streams } = await recover();
      expect(streams[0]?.meta).toEqual(streamMeta('S'));
      expect(deps.log.of('WRN')).toEqual([expect.stringMatching(/'\$G > S': meta.sum does not match/)]);
      const meta = readFileSync(join(root(), 'meta.inf'));
      expect(readFileSync(join(root(), 'meta.sum'), 'utf8')).toBe(checksumOf('S', meta));
    });

    it('loads a consumer whose meta.sum is wrong', async () => {
      writeFileSync(join(root(), 'obs', 'C', 'meta.sum'), '');
      const { streams } = await recover();
      expect(streams[0]?.recoveredConsumers().map(({ name }) => name)).toEqual(['C', 'D']);
      expect(deps.log.of('WRN')).toHaveLength(1);
    });

    it.each([
      ['empty', '', /empty/],
      ['no JSON', '{"name":"S"', /not JSON/],
      ['not UTF-8', '{"name":"S","description":"\xff"}', /not JSON/],
      ['no object', '[]', /not a JSON object/],
      ['of another stream', '{"name":"T"}', /stream named "T"/],
      ['without a readable time', '{"Created":5,"name":"S"}', /creation time/],
    ])('lists a stream as offline whose meta.inf is %s, and touches nothing', async (_what, text, reason) => {
      rmSync(join(root(), 'meta.copy'));
      rmSync(join(root(), 'meta.sum'));
      writeFileSync(join(root(), 'meta.inf'), text, 'latin1');
      const before = readdirSync(root()).sort();
      const { streams, offline } = await recover();
      expect(streams).toEqual([]);
      expect(offline).toEqual(
        [{ name: 'S', reason: expect.stringMatching(reason), meta: expect.anything() }].map((one) => ({
          ...one,
          meta: offline[0]!.meta,
        })),
      );
      expect(readdirSync(root()).sort()).toEqual(before);
      expect(readFileSync(join(root(), 'meta.inf'), 'latin1')).toBe(text);
      // Nor does a new stream of that name take its place.
      await expect(storage.createStream('$G', 'S', streamMeta('S'), storeOptions())).rejects.toThrow(
        'could not be loaded',
      );
    });

    it('lists a stream as offline that the caller cannot run, with what is known of it', async () => {
      const { offline } = await recover((meta) =>
        meta.config['name'] === 'S' ? { offline: 'mirrors' } : anyOptions(),
      );
      expect(offline).toEqual([{ name: 'S', reason: 'mirrors', meta: streamMeta('S') }]);
    });

    it('removes an offline stream when it is told to', async () => {
      await recover(() => ({ offline: 'mirrors' }));
      await storage.deleteOffline('$G', 'S');
      await storage.close();
      const { streams, offline } = await recover();
      expect([streams, offline]).toEqual([[], []]);
    });

    it('lists an encrypted stream as offline', async () => {
      writeFileSync(join(root(), 'meta.key'), 'x');
      expect((await recover()).offline[0]?.reason).toBe('encryption of the store is not supported yet by nats-ts');
    });

    it('lists a stream as offline whose meta.inf is gone but not its messages', async () => {
      rmSync(join(root(), 'meta.inf'));
      rmSync(join(root(), 'meta.copy'));
      writeFileSync(join(root(), 'msgs', '1.blk'), '');
      expect((await recover()).offline).toEqual([{ name: 'S', reason: 'meta.inf is missing', meta: null }]);
    });

    it('ignores a directory with neither meta.inf nor messages, and lets a new stream have it', async () => {
      rmSync(join(root(), 'meta.inf'));
      rmSync(join(root(), 'meta.copy'));
      rmSync(join(root(), 'meta.sum'));
      const { streams, offline } = await recover();
      expect([streams, offline]).toEqual([[], []]);
      const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
      expect(stream.recoveredConsumers()).toEqual([]);
    });

    it('leaves a consumer alone whose meta.inf cannot be read, and keeps its files when it is created anew', async () => {
      writeFileSync(join(root(), 'obs', 'C', 'meta.inf'), '');
      const { streams } = await recover();
      expect(streams[0]?.recoveredConsumers().map(({ name }) => name)).toEqual(['D']);
      expect(deps.log.of('WRN').join()).toContain("'S > C' is not loaded");
      await streams[0]!.createConsumer('C', consumerMeta('C'), false);
      expect(readdirSync(root()).filter((name) => name.startsWith('damaged-consumer-'))).toHaveLength(1);
      expect(readFileSync(join(root(), 'obs', 'C', 'meta.inf'), 'utf8')).toContain('"Name":"C"');
    });

    it('lists a stream as offline whose messages cannot be opened', async () => {
      deps = testDependencies();
      const { FileStorage } = await import('../../src/store/file/file-storage.ts');
      storage = await FileStorage.open(directory, deps, async () => {
        throw new Error('EIO: i/o error');
      });
      const { offline } = await storage.recoverAccount('$G', anyOptions);
      expect(offline).toEqual([{ name: 'S', reason: 'EIO: i/o error', meta: streamMeta('S') }]);
    });

    it('ignores files where streams and consumers are', async () => {
      writeFileSync(path('$G', 'streams', 'README'), '');
      writeFileSync(join(root(), 'obs', 'README'), '');
      const { streams, offline } = await recover();
      expect(streams.map(({ name }) => name)).toEqual(['S']);
      expect(offline).toEqual([]);
    });
  });

  describe('a directory that cannot be used', () => {
    it('is named when a file is in its place', async () => {
      const file = join(directory, 'file');
      writeFileSync(file, '');
      await expect(openStorage(file, testDependencies())).rejects.toThrow(
        /^store directory ".*\/file" cannot be used: /,
      );
    });

    it.runIf(process.getuid?.() !== 0)('is named when it may not be written', async () => {
      const closed = join(directory, 'closed');
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      await expect(openStorage(closed, testDependencies())).rejects.toThrow(
        /^store directory ".*\/closed" cannot be used: EACCES/,
      );
    });

    it('is named when the disk is read-only', async () => {
      const fs = new SimulatedFileSystem();
      await fs.mkdir('/store');
      fs.fault = ({ name }) => (name === 'open' || name === 'mkdir' ? 'EROFS' : null);
      await expect(openStorage('/store', testDependencies({}, fs))).rejects.toThrow(
        'store directory "/store" cannot be used: EROFS',
      );
    });

    it('is created with its parents', async () => {
      const deep = join(directory, 'a', 'b', 'c');
      const other = await openStorage(deep, testDependencies());
      expect(statSync(join(deep, 'jetstream')).isDirectory()).toBe(true);
      await other.close();
    });
  });
});

describe('file storage through crashes', () => {
  const open = (fs: SimulatedFileSystem): Promise<FileStorage> => openStorage('/store', testDependencies({}, fs));

  /** Durable, as the engine has it before it tells anybody. */
  async function createdConsumer(stream: StreamStore, name: string): Promise<void> {
    const store = await stream.createConsumer(name, consumerMeta(name), false);
    store.setExporter(emptyConsumerState);
    store.replaced();
    await new Promise<void>((resolve, reject) => store.sync((error) => (error === null ? resolve() : reject(error))));
  }

  /** How it ends: the process is killed, or the power goes and takes with it whatever was not synced, or less than that. */
  const ends: ((fs: SimulatedFileSystem) => void)[] = [
    (fs) => fs.kill(),
    (fs) => fs.powerCut(),
    (fs) => fs.powerCut((path) => path.endsWith('/streams') || path.endsWith('/obs')),
    (fs) => fs.powerCut((path) => !/\/(meta\.(inf|sum)|o\.dat)$/.test(path)),
    (fs) => fs.powerCut((path) => /\/(meta\.(inf|sum)|o\.dat)$/.test(path)),
  ];

  /** Runs `work` with the power going off at each of its operations in turn; `check` sees what is left. */
  async function atEveryOperation(
    work: (storage: FileStorage, stream: StreamStore, done: (what: string) => void) => Promise<void>,
    check: (found: { streams: StreamStore[]; offline: { name: string }[] }, done: string[]) => void,
  ): Promise<void> {
    // One end after the other at each operation: `round` runs over both.
    for (let round = 0, finished = false; !finished || round % ends.length !== 0; round++) {
      const offAt = Math.floor(round / ends.length);
      const fs = new SimulatedFileSystem();
      const storage = await open(fs);
      const stream = await storage.createStream('$G', 'OLD', streamMeta('OLD'), storeOptions());
      await createdConsumer(stream, 'OC');
      const done: string[] = [];
      fs.operations = 0;
      fs.offAt = offAt;
      const running = work(storage, stream, (what) => done.push(what)).then(() => {
        finished = fs.operations < offAt;
      });
      await Promise.race([running, turns(60)]);
      ends[round % ends.length]!(fs);
      await fs.removeTree('/store/.nats-ts.lock');
      const again = await open(fs);
      check(await again.recoverAccount('$G', anyOptions), done);
      await again.close();
      if (offAt > 200) throw new Error('the work never finishes');
    }
  }

  it('has a created stream entirely once it was told so, and entirely or not at all before', async () => {
    await atEveryOperation(
      async (storage, _stream, done) => {
        await storage.createStream('$G', 'NEW', streamMeta('NEW'), storeOptions());
        done('created');
      },
      ({ streams, offline }, done) => {
        expect(offline).toEqual([]);
        const names = streams.map(({ name }) => name);
        expect(names).toContain('OLD');
        if (done.includes('created')) expect(names).toContain('NEW');
        for (const { name, meta } of streams) expect(meta).toEqual(streamMeta(name));
      },
    );
  });

  it('has a created consumer entirely once it was told so, and entirely or not at all before', async () => {
    await atEveryOperation(
      async (_storage, stream, done) => {
        await createdConsumer(stream, 'NC');
        done('created');
      },
      ({ streams }, done) => {
        const found = streams[0]!.recoveredConsumers();
        const names = found.map(({ name }) => name);
        expect(names).toContain('OC');
        if (done.includes('created')) expect(names).toContain('NC');
        for (const { name, meta, store } of found) {
          expect(meta).toEqual(consumerMeta(name));
          if (name === 'OC' || done.includes('created')) expect(store.hasState).toBe(true);
        }
      },
    );
  });

  it('has lost a deleted stream once it was told so', async () => {
    await atEveryOperation(
      async (_storage, stream, done) => {
        await stream.delete();
        done('deleted');
      },
      ({ streams, offline }, done) => {
        expect(offline).toEqual([]);
        if (done.includes('deleted')) expect(streams).toEqual([]);
        if (streams.length > 0) expect(streams[0]!.recoveredConsumers()).toHaveLength(1);
      },
    );
  });

  it('has the old or the new configuration, and the new one once it was told so', async () => {
    await atEveryOperation(
      async (_storage, stream, done) => {
        await stream.updateMeta(streamMeta('OLD', { max_msgs: 1 }));
        done('updated');
      },
      ({ streams, offline }, done) => {
        expect(offline).toEqual([]);
        expect(streams[0]!.meta).toEqual(
          streams[0]!.meta.config['max_msgs'] === 1 || done.includes('updated')
            ? streamMeta('OLD', { max_msgs: 1 })
            : streamMeta('OLD'),
        );
      },
    );
  });

  it('leaves nothing behind when a stream or consumer cannot be created', async () => {
    const fs = new SimulatedFileSystem();
    const storage = await open(fs);
    const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    const before = [...fs.files().keys()];
    fs.fault = ({ name, path }) => (name === 'write' && path.endsWith('meta.sum') ? 'ENOSPC' : null);
    await expect(storage.createStream('$G', 'T', streamMeta('T'), storeOptions())).rejects.toThrow('ENOSPC');
    await expect(stream.createConsumer('C', consumerMeta('C'), false)).rejects.toThrow('ENOSPC');
    expect([...fs.files().keys()]).toEqual(before);
    fs.fault = () => null;
    await storage.createStream('$G', 'T', streamMeta('T'), storeOptions());
    await stream.createConsumer('C', consumerMeta('C'), false);
    await storage.close();
  });

  it('takes a stream away again when its messages cannot be opened', async () => {
    const fs = new SimulatedFileSystem();
    const { FileStorage } = await import('../../src/store/file/file-storage.ts');
    let fails = true;
    const storage = await FileStorage.open('/store', testDependencies({}, fs), (...args) =>
      fails ? Promise.reject(new Error('EMFILE')) : openUnstored(...args),
    );
    await expect(storage.createStream('$G', 'S', streamMeta('S'), storeOptions())).rejects.toThrow('EMFILE');
    fails = false;
    await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    await storage.close();
  });

  it('deletes for good at the second attempt when the first met a failing disk', async () => {
    const fs = new SimulatedFileSystem();
    const storage = await open(fs);
    const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    const consumer = await stream.createConsumer('C', consumerMeta('C'), false);
    for (const operation of ['rename', 'syncDir'] as const) {
      fs.fault = ({ name }) => (name === operation ? 'EIO' : null);
      await expect(consumer.delete()).rejects.toThrow('EIO');
    }
    fs.fault = () => null;
    await consumer.delete();
    for (const operation of ['rename', 'syncDir'] as const) {
      fs.fault = ({ name }) => (name === operation ? 'EIO' : null);
      await expect(stream.delete()).rejects.toThrow('EIO');
    }
    fs.fault = () => null;
    await stream.delete();
    fs.powerCut();
    await fs.removeTree('/store/.nats-ts.lock');
    const again = await open(fs);
    expect((await again.recoverAccount('$G', anyOptions)).streams).toEqual([]);
    await again.close();
  });
});
