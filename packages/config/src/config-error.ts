/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** The whole sentence as it is shown to the operator. */
  readonly text: string;
  /** Where the value came from: `env NATS_NATS_PORT`, `nats.yaml:3`, `nats.conf:3:1`. Absent when there is no place. */
  readonly source?: string;
  /** The key the value was given for. */
  readonly key?: string;
}

/**
 * When nats-server would notice the problem.
 *
 * - `read`: while the file, the environment or the flags are read; nats-server prints it on stderr. `-t` finds these.
 * - `options`: when the options are checked against each other; printed on stderr too, but not found by `-t`.
 * - `start`: when the listeners are opened; nats-server logs it as fatal (`[FTL]`) after its start-up lines.
 */
export type ConfigStage = 'read' | 'options' | 'start';

/**
 * A configuration cannot be used. The message lists every warning and every problem, one a line, warnings first
 * (as nats-server prints them).
 */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
  readonly stage: ConfigStage;

  constructor(problems: readonly ConfigProblem[], warnings: readonly string[] = [], stage: ConfigStage = 'read') {
    super([...warnings, ...problems.map((problem) => problem.text)].join('\n'));
    this.problems = problems;
    this.warnings = warnings;
    this.stage = stage;
  }

  /** A ConfigError of one sentence. */
  static of(text: string, stage: ConfigStage = 'read'): ConfigError {
    return new ConfigError([{ text }], [], stage);
  }
}
