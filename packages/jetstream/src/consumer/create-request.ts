import { apiError } from '../errors/api-error.ts';
import { type ConsumerConfig, completeConfig, type RequestedConfig } from './config.ts';

/** A create or update request after the checks that need no stream. */
export interface CreateRequest {
  readonly stream: string;
  /** What the caller asked for, its name settled; '' = the server picks one. */
  readonly config: ConsumerConfig;
  readonly action: '' | 'create' | 'update';
  readonly isPedantic: boolean;
}

interface Body {
  readonly stream_name?: string;
  readonly config?: RequestedConfig;
  readonly action?: '' | 'create' | 'update';
  readonly pedantic?: boolean;
}

interface Target {
  readonly kind: 'ephemeral' | 'durable' | 'named';
  readonly stream: string;
  readonly name: string;
  /** Filter in the subject; '' = none. */
  readonly filter: string;
}

/**
 * Reads CONSUMER.CREATE.S (legacy ephemeral), CONSUMER.DURABLE.CREATE.S.C (legacy durable) and
 * CONSUMER.CREATE.S.C[.filter…]; refuses what subject and body contradict each other in (spec/jetstream.md 1.2).
 * @param tokens of the subject after `$JS.API.`
 */
export function readCreateRequest(tokens: readonly string[], body: Body): CreateRequest {
  const requested = completeConfig(body.config ?? {});
  const target = targetOf(tokens, requested);
  if (target.stream !== (body.stream_name ?? '')) throw apiError('StreamMismatch');
  if (/[\\/]/.test(target.name)) throw apiError('ConsumerNameContainsPathSeparators');
  checkDurableName(target, requested);
  if (target.filter !== '' && requested.filter_subjects.length > 0) throw apiError('ConsumerMultipleFiltersNotAllowed');
  if (target.filter !== '' && requested.filter_subject !== target.filter) {
    throw apiError('ConsumerCreateFilterSubjectMismatch');
  }
  if (requested.num_replicas > 1) throw apiError('StreamReplicasNotSupported');
  return {
    stream: target.stream,
    config: { ...requested, name: target.name },
    action: body.action ?? '',
    isPedantic: body.pedantic ?? false,
  };
}

function targetOf(tokens: readonly string[], config: ConsumerConfig): Target {
  if (tokens[1] === 'DURABLE') return { kind: 'durable', stream: tokens[3]!, name: tokens[4]!, filter: '' };
  const stream = tokens[2]!;
  if (tokens.length === 3) return { kind: 'ephemeral', stream, name: config.name, filter: '' };
  return { kind: 'named', stream, name: tokens[3]!, filter: tokens.slice(4).join('.') };
}

function checkDurableName(target: Target, config: ConsumerConfig): void {
  const durable = config.durable_name;
  if (target.kind === 'ephemeral') {
    if (durable !== '') throw apiError('ConsumerEphemeralWithDurableName');
    return;
  }
  if (target.kind === 'durable' && durable === '') throw apiError('ConsumerDurableNameNotSet');
  if (durable !== '' && durable !== target.name) throw apiError('ConsumerDurableNameNotMatchSubject');
}
