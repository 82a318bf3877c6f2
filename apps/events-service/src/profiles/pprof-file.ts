import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import type { SourceLines, SourcePlace } from './source-lines.ts';

const NS_PER_MS = 1_000_000;

/** A function as V8 names it; lines and columns from 0. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What is measured: `cpu` in `nanoseconds`. */
export interface Unit {
  readonly type: string;
  readonly unit: string;
}

/** What a profile says about itself. */
export interface ProfileFrame {
  readonly units: readonly Unit[];
  /** What a sample stands for, in which unit. */
  readonly period: number;
  readonly periodUnit: Unit;
  readonly beganMs: number;
  readonly durationMs: number;
}

/** Collects samples and writes them in pprof's format. Every function and every place in one is written once. */
export class PprofFile {
  readonly #sources: SourceLines;
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, PprofFunction>();
  readonly #locations = new Map<string, Location>();
  readonly #samples: Sample[] = [];

  constructor(sources: SourceLines) {
    this.#sources = sources;
  }

  /** Id of the place where a function begins, or of a line in it (from 1). */
  location(frame: CallFrame, line?: number): number {
    const key = `${frame.functionName}\0${frame.url}\0${frame.lineNumber}\0${frame.columnNumber}\0${line ?? ''}`;
    const known = this.#locations.get(key);
    if (known !== undefined) return Number(known.id);
    const start = this.#sources.place(frame.url, frame.lineNumber, frame.columnNumber);
    const place = line === undefined ? start : this.#sources.place(frame.url, line - 1, Number.POSITIVE_INFINITY);
    const id = this.#locations.size + 1;
    const functionId = this.#function(frame, start);
    this.#locations.set(key, new Location({ id, line: [new Line({ functionId, line: place.line })] }));
    return id;
  }

  /** @param stack locations, the innermost first. @param values one for each unit. */
  add(stack: readonly number[], values: readonly number[]): void {
    this.#samples.push(new Sample({ locationId: [...stack], value: values.map(Math.round) }));
  }

  /** The file, compressed as pprof expects it. */
  async encode(frame: ProfileFrame): Promise<Uint8Array> {
    const unit = ({ type, unit: name }: Unit): ValueType =>
      new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(name) });
    const profile = new Profile({
      sampleType: frame.units.map(unit),
      periodType: unit(frame.periodUnit),
      period: frame.period,
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      stringTable: this.#strings,
      timeNanos: BigInt(Math.round(frame.beganMs)) * BigInt(NS_PER_MS),
      durationNanos: Math.round(frame.durationMs * NS_PER_MS),
    });
    return promisify(gzip)(await profile.encodeAsync());
  }

  #function(frame: CallFrame, start: SourcePlace): number {
    const name = nameOf(frame, start);
    const key = `${name}\0${start.file}\0${start.line}`;
    const known = this.#functions.get(key);
    if (known !== undefined) return Number(known.id);
    const id = this.#functions.size + 1;
    const nameId = this.#strings.dedup(name);
    const filename = this.#strings.dedup(start.file);
    const made = new PprofFunction({ id, name: nameId, systemName: nameId, filename, startLine: start.line });
    this.#functions.set(key, made);
    return id;
  }
}

/** Functions without a name are told apart by where they are. */
function nameOf({ functionName }: CallFrame, { file, line }: SourcePlace): string {
  return functionName === '' ? `(anonymous ${basename(file)}:${line})` : functionName;
}
