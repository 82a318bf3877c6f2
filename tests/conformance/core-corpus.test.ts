import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coreCorpus, loadCorpus } from '../corpus/load.ts';
import { playScript } from '../corpus/play.ts';
import { ServerProcess, TempDir } from '../src/index.ts';

/** Where natsd differs on purpose, and why (packages/protocol/DESIGN.md). */
const DIFFERENT_ON_PURPOSE: Readonly<Record<string, string>> = {};

describe('natsd answers raw bytes as nats-server did when they were recorded', () => {
  for (const file of loadCorpus(coreCorpus)) {
    describe(file.name, () => {
      let dir: TempDir;
      let server: ServerProcess;
      beforeAll(async () => {
        dir = new TempDir('corpus');
        const config = join(dir.path, 'corpus.conf');
        writeFileSync(config, file.config);
        server = await ServerProcess.natsd({ args: ['-c', config, '-a', '127.0.0.1', '-p', '-1'] });
      });
      afterAll(async () => {
        await server.kill();
        dir[Symbol.dispose]();
      });

      for (const script of file.scripts) {
        const { expected } = script;
        it.skipIf(script.name in DIFFERENT_ON_PURPOSE || expected === null)(
          `${script.name} (line ${script.line})`,
          async () => {
            if (expected === null) return;
            const played = await playScript(server.port, script, expected);
            expect(played.received.toString('latin1')).toBe(expected.received.toString('latin1'));
            expect(played.closed).toBe(expected.closed !== null);
          },
        );
      }
    });
  }
});
