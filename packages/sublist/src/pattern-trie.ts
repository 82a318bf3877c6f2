import { StringMap } from './string-map.ts';
import { GREATER, STAR, tokenEnd, tokenIs } from './token.ts';

/** One token position: what follows a prefix of tokens. */
class TrieNode<V> {
  /** Next token, literally. */
  children: StringMap<TrieNode<V>> | null = null;
  /** Next token `*`. */
  star: TrieNode<V> | null = null;
  /** Value of the pattern that ends here. */
  value: V | undefined = undefined;
  /** Value of the pattern that goes on with `>`. */
  tail: V | undefined = undefined;
}

function isEmpty(node: TrieNode<unknown>): boolean {
  return node.children === null && node.star === null && node.value === undefined && node.tail === undefined;
}

/**
 * Patterns (valid subjects, wildcards allowed) to values; finds the values of all patterns that match a literal
 * subject. `undefined` is not a value. Patterns are not checked here.
 */
export class PatternTrie<V> {
  #root = new TrieNode<V>();
  #nodes = 0;

  /** Nodes in use, the root not counted; 0 when the trie is empty. */
  get nodeCount(): number {
    return this.#nodes;
  }

  get(pattern: string): V | undefined {
    let node: TrieNode<V> | null | undefined = this.#root;
    for (let start = 0; start <= pattern.length; ) {
      const end = tokenEnd(pattern, start);
      if (end === pattern.length && tokenIs(pattern, start, end, GREATER)) return node.tail;
      node = tokenIs(pattern, start, end, STAR) ? node.star : node.children?.getPart(pattern, start, end);
      if (node === null || node === undefined) return undefined;
      start = end + 1;
    }
    return node.value;
  }

  set(pattern: string, value: V): void {
    let node = this.#root;
    for (let start = 0; start <= pattern.length; ) {
      const end = tokenEnd(pattern, start);
      if (end === pattern.length && tokenIs(pattern, start, end, GREATER)) {
        node.tail = value;
        return;
      }
      node = tokenIs(pattern, start, end, STAR) ? this.#starOf(node) : this.#childOf(node, pattern.slice(start, end));
      start = end + 1;
    }
    node.value = value;
  }

  /** Removes a pattern and every node that only it needed; false if it was not there. */
  delete(pattern: string): boolean {
    const path: TrieNode<V>[] = [this.#root];
    const starts: number[] = [];
    let node = this.#root;
    let tail = false;
    for (let start = 0; start <= pattern.length; ) {
      const end = tokenEnd(pattern, start);
      tail = end === pattern.length && tokenIs(pattern, start, end, GREATER);
      if (tail) break;
      const next = tokenIs(pattern, start, end, STAR) ? node.star : node.children?.getPart(pattern, start, end);
      if (next === null || next === undefined) return false;
      node = next;
      path.push(node);
      starts.push(start);
      start = end + 1;
    }
    if ((tail ? node.tail : node.value) === undefined) return false;
    if (tail) node.tail = undefined;
    else node.value = undefined;
    this.#prune(pattern, path, starts);
    return true;
  }

  /** Appends the values of all patterns that match `literal`, which must have no empty token. */
  collect(literal: string, into: V[]): void {
    this.#collect(this.#root, literal, 0, into);
  }

  /** True if some pattern matches `literal`, which must have no empty token. */
  matches(literal: string): boolean {
    return this.#matches(this.#root, literal, 0);
  }

  /** Calls back per value, in any order. The trie must not change meanwhile. */
  each(callback: (value: V) => void): void {
    const pending: TrieNode<V>[] = [this.#root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.value !== undefined) callback(node.value);
      if (node.tail !== undefined) callback(node.tail);
      if (node.star !== null) pending.push(node.star);
      node.children?.each((child) => {
        pending.push(child);
      });
    }
  }

  #starOf(node: TrieNode<V>): TrieNode<V> {
    if (node.star === null) {
      node.star = new TrieNode();
      this.#nodes++;
    }
    return node.star;
  }

  #childOf(node: TrieNode<V>, token: string): TrieNode<V> {
    node.children ??= new StringMap();
    let child = node.children.get(token);
    if (child === undefined) {
      child = new TrieNode();
      node.children.set(token, child);
      this.#nodes++;
    }
    return child;
  }

  #prune(pattern: string, path: TrieNode<V>[], starts: number[]): void {
    for (let depth = starts.length; depth > 0 && isEmpty(path[depth]!); depth--) {
      const parent = path[depth - 1]!;
      const start = starts[depth - 1]!;
      if (parent.star === path[depth]) {
        parent.star = null;
      } else {
        parent.children!.delete(pattern.slice(start, tokenEnd(pattern, start)));
        if (parent.children!.size === 0) parent.children = null;
      }
      this.#nodes--;
    }
  }

  // Both walks loop as long as one way goes on and recurse only where `*` and a literal token both do.

  #collect(node: TrieNode<V>, literal: string, start: number, into: V[]): void {
    for (;;) {
      if (node.tail !== undefined) into.push(node.tail);
      const { star, children } = node;
      const end = tokenEnd(literal, start);
      const child = children === null ? undefined : children.getPart(literal, start, end);
      if (end === literal.length) {
        if (star?.value !== undefined) into.push(star.value);
        if (child?.value !== undefined) into.push(child.value);
        return;
      }
      start = end + 1;
      if (child === undefined) {
        if (star === null) return;
        node = star;
      } else {
        if (star !== null) this.#collect(star, literal, start, into);
        node = child;
      }
    }
  }

  #matches(node: TrieNode<V>, literal: string, start: number): boolean {
    for (;;) {
      if (node.tail !== undefined) return true;
      const { star, children } = node;
      const end = tokenEnd(literal, start);
      const child = children === null ? undefined : children.getPart(literal, start, end);
      if (end === literal.length) return star?.value !== undefined || child?.value !== undefined;
      start = end + 1;
      if (child === undefined) {
        if (star === null) return false;
        node = star;
      } else {
        if (star !== null && this.#matches(star, literal, start)) return true;
        node = child;
      }
    }
  }
}
