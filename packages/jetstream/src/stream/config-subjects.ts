import {
  isSubset,
  isValidSubject,
  overlaps,
  SubjectSet,
  SubjectTransform,
  TooManySubjects,
  TransformError,
} from '@nats-ts/sublist';
import { type ApiError, apiError } from '../errors/api-error.ts';
import type { RepublishConfig, SubjectTransformConfig } from './config.ts';
import type { RawStreamConfig } from './config-schema.ts';

const JETSTREAM_SPACES = ['$JS.>', '$JSC.>', '$NRG.>'];

/** A transform is only tried here: no random number is drawn. */
const noRandom = { random: (): number => 0 };

function invalid(text: string): ApiError {
  return apiError('StreamInvalidConfig', { err: text });
}

/** The stream's subjects; its name when there are none. Throws for invalid, overlapping and reserved ones. */
export function checkSubjects(raw: RawStreamConfig, replicas: number): readonly string[] {
  const subjects = raw.subjects ?? [];
  if (subjects.length === 0) return [raw.name ?? ''];
  const all = new SubjectSet(subjects);
  subjects.forEach((subject, index) => {
    if (!isValidSubject(subject)) throw invalid('invalid subject');
    if (raw.no_ack !== true) checkReserved(subject);
    else if (subject === '>' && replicas !== 1) throw invalid('capturing all subjects requires replicas of 1');
    if (isAlone(all, subject)) return;
    const other = subjects.find((later, at) => at > index && overlaps(later, subject));
    throw invalid(`subject ${quote(subject)} overlaps with ${quote(other ?? subject)}`);
  });
  return subjects;
}

/** True if `subject`, one of the set, overlaps with no other. */
function isAlone(all: SubjectSet, subject: string): boolean {
  try {
    return all.countOverlaps(subject, 2) < 2;
  } catch (error) {
    if (error instanceof TooManySubjects) throw invalid(error.message);
    throw error;
  }
}

/** A stream that acknowledges must not capture requests and system messages: its acks would answer them. */
function checkReserved(subject: string): void {
  if (subject === '>') throw invalid('capturing all subjects requires no-ack to be true');
  for (const space of JETSTREAM_SPACES) {
    if (overlaps(subject, space) && !isSubset(subject, '$JS.EVENT.>')) {
      throw invalid('subjects that overlap with jetstream api require no-ack to be true');
    }
  }
  if (overlaps(subject, '$SYS.>') && !isSubset(subject, '$SYS.ACCOUNT.>')) {
    throw invalid('subjects that overlap with system api require no-ack to be true');
  }
}

export function checkTransform(raw: RawStreamConfig): SubjectTransformConfig | undefined {
  if (raw.subject_transform === undefined) return undefined;
  const { src = '', dest = '' } = raw.subject_transform;
  if (src !== '' && !isValidSubject(src)) {
    throw apiError('StreamTransformInvalidSource', { err: `invalid subject ${src}` });
  }
  const problem = dest === '' ? null : transformProblem(src, dest);
  if (problem !== null) throw apiError('StreamTransformInvalidDestination', { err: problem });
  return { src, dest };
}

export function checkRepublish(
  raw: RawStreamConfig,
  subjects: readonly string[],
  pedantic: boolean,
): RepublishConfig | undefined {
  if (raw.republish === undefined) return undefined;
  let { src = '', dest = '' } = raw.republish;
  if (src === '') {
    if (pedantic) throw apiError('Pedantic', { err: 'republish source can not be empty' });
    src = '>';
  }
  const transform = raw.subject_transform;
  // From everything to everything is what the stream's own transform makes of it, provided that covers the stream.
  if (src === '>' && dest === '>' && transform && subjects.length === 1 && transform.src === subjects[0]) {
    if (pedantic) throw apiError('Pedantic', { err: 'implicit republish based on subject transform' });
    src = transform.dest ?? '';
    dest = src;
  }
  // To nowhere: nothing is republished.
  if (dest !== '' && subjects.some((subject) => overlaps(dest, subject))) {
    throw invalid('stream configuration for republish destination forms a cycle');
  }
  if (transformProblem(src, dest) !== null) {
    throw invalid(`stream configuration for republish with transform from '${src}' to '${dest}' not valid`);
  }
  return { src, dest, ...(raw.republish.headers_only && { headers_only: true }) };
}

function transformProblem(src: string, dest: string): string | null {
  try {
    SubjectTransform.create(src, dest, noRandom);
    return null;
  } catch (error) {
    if (error instanceof TransformError) return error.message;
    throw error;
  }
}

/** Subjects are valid here: nothing in them needs an escape but quotes and backslashes. */
function quote(subject: string): string {
  return JSON.stringify(subject);
}
