export { until, within } from './deadline.ts';
export { type OracleVersion, oraclePath, repositoryRoot } from './oracle.ts';
export { RawClient } from './raw-client.ts';
export { type ProcessOptions, ServerProcess } from './server-process.ts';
export { describeTargets, natsd, natsServer, type Target } from './targets.ts';
export { TempDir } from './temp-dir.ts';
export { describeSameTranscript, mask, Transcript } from './transcript.ts';
export { type Answer, WireClient, type WireMessage } from './wire-client.ts';
