/** What a span says, by name. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Runs something within a span, if there are traces. */
export type TracedCall = <T>(name: string, attributes: SpanAttributes, run: () => Promise<T>) => Promise<T>;

/** Without traces: it just runs. */
export const untraced: TracedCall = (_name, _attributes, run) => run();
