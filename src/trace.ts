// What rounds and passes do, told line by line to whoever listens ($HUNCH_TRACE, docs/one-pass.md). Where nobody does,
// this costs a look at a variable per round and per pass.

/** Takes one line, without its break. */
export type Trace = (line: string) => void;

let listener: Trace | undefined;

/** All lines go to `trace` from now on; undefined: nowhere. */
export function traceTo(trace: Trace | undefined): void {
  listener = trace;
}

/** Undefined where nobody listens, so that `tracing()?.(line())` makes no line in vain. */
export function tracing(): Trace | undefined {
  return listener;
}
