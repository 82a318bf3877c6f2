// The load generator, a process of its own: one scenario in (JSON argument), one result out (JSON line).
import { runScenario, type ScenarioSpec } from './scenario.ts';

const spec = JSON.parse(process.argv[2] ?? '{}') as ScenarioSpec;
const before = process.cpuUsage();
const result = await runScenario(spec);
const used = process.cpuUsage(before);
result.generatorCpuSeconds = (used.user + used.system) / 1e6;
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
