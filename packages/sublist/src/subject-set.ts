import { tokens } from './subject.ts';

/** Steps of all questions to one set together, about a tenth of a microsecond each. */
export const SUBJECT_SET_STEPS_MAX = 20_000_000;

/** A set was asked more than it can answer in reasonable time: too many wildcards stand against too many tokens. */
export class TooManySubjects extends Error {}

interface Node {
  readonly children: Map<string, Node>;
  /** Subjects that end here. */
  own: number;
  /** Subjects that end here or below. */
  total: number;
}

/**
 * Many subjects, wildcards allowed, prepared for the question how another one relates to them. What `overlaps` and
 * `isSubset` answer for pairs, without trying every pair: a question costs as much as the subject has tokens, more only
 * where wildcards fan out. Subjects must be valid.
 */
export class SubjectSet {
  readonly #root: Node = leaf();
  #steps = 0;

  constructor(subjects: Iterable<string> = []) {
    for (const subject of subjects) this.add(subject);
  }

  /** Adds a subject; one that is there already counts twice. */
  add(subject: string): void {
    let node = this.#root;
    node.total++;
    for (const token of tokens(subject)) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = leaf();
        node.children.set(token, child);
      }
      child.total++;
      node = child;
    }
    node.own++;
  }

  /**
   * How many of the subjects share a literal subject with `subject`, counted up to `max`. Equivalent to SubjectsCollide
   * in nats-server with each of them. Throws TooManySubjects.
   */
  countOverlaps(subject: string, max: number): number {
    return this.#count(subject, max, true);
  }

  /** How many of the subjects cover all of `subject`, counted up to `max`. Throws TooManySubjects. */
  countCovering(subject: string, max: number): number {
    return this.#count(subject, max, false);
  }

  /** A stack of its own: a subject may have thousands of tokens. */
  #count(subject: string, max: number, isOverlap: boolean): number {
    const wanted = tokens(subject);
    const nodes: Node[] = [this.#root];
    const depths: number[] = [0];
    let count = 0;
    for (let node = nodes.pop(); node !== undefined && count < max; node = nodes.pop()) {
      const depth = depths.pop()!;
      if (++this.#steps > SUBJECT_SET_STEPS_MAX) throw new TooManySubjects('too many wildcards to compare');
      if (depth === wanted.length) {
        count += node.own;
        continue;
      }
      const token = wanted[depth]!;
      if (isOverlap && token === '>') {
        count += node.total - node.own;
        continue;
      }
      count += node.children.get('>')?.total ?? 0;
      if (isOverlap && token === '*') {
        for (const [name, child] of node.children) if (name !== '>') push(child);
        continue;
      }
      if (token === '>') continue;
      push(node.children.get('*'));
      if (token !== '*') push(node.children.get(token));

      function push(child: Node | undefined): void {
        if (child === undefined) return;
        nodes.push(child);
        depths.push(depth + 1);
      }
    }
    return Math.min(count, max);
  }
}

function leaf(): Node {
  return { children: new Map(), own: 0, total: 0 };
}
