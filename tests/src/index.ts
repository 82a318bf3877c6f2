export { until, within } from './deadline.ts';
export { type OracleVersion, oraclePath, repositoryRoot } from './oracle.ts';
export { RawClient } from './raw-client.ts';
export { type ProcessOptions, ServerProcess } from './server-process.ts';
export { TempDir } from './temp-dir.ts';
