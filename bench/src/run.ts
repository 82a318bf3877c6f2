// npm run bench: ours and nats-server side by side, alternating, ratios of medians.
//   npm run bench -- [--rounds N] [--only REGEX] [--quick]
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oraclePath } from '../../tests/src/oracle.ts';
import { describeDisk } from './disk.ts';
import type { ScenarioResult, ScenarioSpec } from './scenario.ts';
import { type Contestant, RunningServer } from './server.ts';

type Distributed<T> = T extends { port: number } ? Omit<T, 'port'> : never;
interface Row {
  name: string;
  spec: Distributed<ScenarioSpec>;
  /** JetStream rows run against several settings. */
  contestants: readonly Contestant[];
}
interface Measured extends ScenarioResult {
  serverCpuSeconds: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const work = join(root, 'bench/.work');
mkdirSync(work, { recursive: true });

const oracle = oraclePath();
const natsd = process.env['NATS_TS_BENCH_NATSD'] ?? join(root, 'apps/natsd/bin/natsd');
const ours: Contestant = { name: 'nats-ts', command: natsd, syncInterval: null };
const theirs: Contestant | null = oracle === null ? null : { name: 'nats-server', command: oracle, syncInterval: null };
const theirsAlways: Contestant | null =
  oracle === null ? null : { name: 'nats-server, sync always', command: oracle, syncInterval: 'always' };
const both = theirs ? [ours, theirs] : [ours];
const three = theirs && theirsAlways ? [ours, theirs, theirsAlways] : [ours];

const scale = values.quick ? 0.1 : 1;
const count = (messages: number): number => Math.max(1, Math.round(messages * scale));
const rows: Row[] = [];
for (const [payloadBytes, messages] of [
  [16, 3_000_000],
  [128, 2_000_000],
  [1024, 800_000],
  [16_384, 60_000],
] as const) {
  for (const subscribers of [1, 8]) {
    const spec = {
      kind: 'pubsub' as const,
      payloadBytes,
      subscribers,
      messages: count(subscribers === 1 ? messages : messages / 4),
    };
    rows.push({
      name: `pub/sub ${payloadBytes} B, ${subscribers} subscriber${subscribers > 1 ? 's' : ''}`,
      spec,
      contestants: both,
    });
  }
}
rows.push({
  name: 'request/reply 128 B',
  spec: { kind: 'request', payloadBytes: 128, messages: count(20_000) },
  contestants: both,
});
rows.push({
  name: 'JetStream publish 256 B, window 1',
  spec: { kind: 'js-publish', payloadBytes: 256, messages: count(5_000), window: 1 },
  contestants: three,
});
rows.push({
  name: 'JetStream publish 256 B, window 1000',
  spec: { kind: 'js-publish', payloadBytes: 256, messages: count(300_000), window: 1000 },
  contestants: three,
});
rows.push({
  name: 'JetStream pull consume 256 B, acked',
  spec: { kind: 'js-consume', payloadBytes: 256, messages: count(200_000), batch: 1000 },
  contestants: both,
});

async function measure(contestant: Contestant, spec: Distributed<ScenarioSpec>): Promise<Measured> {
  const server = await RunningServer.start(contestant, work);
  try {
    const before = server.cpuSeconds();
    const result = await generate({ ...spec, port: server.port } as ScenarioSpec);
    return { ...result, serverCpuSeconds: server.cpuSeconds() - before };
  } finally {
    await server.stop();
  }
}

function generate(spec: ScenarioSpec): Promise<ScenarioResult> {
  const child = spawn(process.execPath, [join(root, 'bench/src/generator.ts'), JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`no result within two minutes: ${JSON.stringify(spec)}`));
    }, 120_000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(output) as ScenarioResult);
      else reject(new Error(`the generator ended with ${code} in ${JSON.stringify(spec)}`));
    });
  });
}

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const ratio = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '-');

async function runRow(row: Row, rounds: number): Promise<void> {
  const results = new Map<string, Measured[]>(row.contestants.map((contestant) => [contestant.name, []]));
  for (let round = 0; round < rounds; round++) {
    // Alternating, and in turned order, so that a slow minute of the machine strikes all of them.
    const order = round % 2 === 0 ? row.contestants : row.contestants.toReversed();
    for (const contestant of order) results.get(contestant.name)?.push(await measure(contestant, row.spec));
  }
  const rate = (name: string): number => median((results.get(name) ?? []).map((m) => m.delivered / m.seconds));
  const base = theirs ? rate(theirs.name) : Number.NaN;
  for (const contestant of row.contestants) {
    const measured = results.get(contestant.name) ?? [];
    const cpu = median(measured.map((m) => (m.serverCpuSeconds / m.delivered) * 1e6));
    const generator = median(measured.map((m) => ((m.generatorCpuSeconds ?? 0) / m.delivered) * 1e6));
    const percentiles =
      measured[0]?.p50Us === undefined
        ? ''
        : `${median(measured.map((m) => m.p50Us ?? 0)).toFixed(0)} / ${median(measured.map((m) => m.p99Us ?? 0)).toFixed(0)}`;
    process.stdout.write(
      `| ${row.name} | ${contestant.name} | ${ratio(rate(contestant.name) / base)} | ${percentiles} | ${cpu.toFixed(2)} | ${generator.toFixed(2)} |\n`,
    );
  }
}

const rounds = values.quick ? 1 : Number(values.rounds);
const disk = describeDisk(work);
process.stdout.write(
  `Rates relative to nats-server's default in the same run, medians of ${rounds} alternating rounds.\n` +
    `JetStream on ${disk.fileSystem}, fdatasync of 256 B: p50 ${disk.p50Us.toFixed(0)} us, p99 ${disk.p99Us.toFixed(0)} us.\n\n` +
    '| scenario | server | rate ratio | round trip p50 / p99, us | server CPU us/msg | generator CPU us/msg |\n|---|---|---|---|---|---|\n',
);
const only = new RegExp(values.only);
for (const row of rows) if (only.test(row.name)) await runRow(row, rounds);
