import { StringMap } from './string-map.ts';

/** What a token leads to: a value if the subject ends with it, a branch if there is more (and perhaps a value too). */
export type Entry<V> = V | Branch<V>;

/** The tokens that follow a prefix. Never empty, but for the root of a tree. */
export class Branch<V> extends StringMap<Entry<V>> {
  /** Value of the subject that ends here. */
  value: V | undefined = undefined;
}

/** The value of the subject that ends with this entry. */
export function ownValue<V>(entry: Entry<V> | undefined): V | undefined {
  return entry instanceof Branch ? entry.value : entry;
}
