// What methods hold in memory: how much less is held once they are let go. Of the heap and of the buffers that belong to
// it; what libraries hold beside it, such as the models' weights, is not in it.

/** Bytes that are held after everything that is no more needed was freed; undefined where the runtime does not tell. */
async function held(): Promise<number | undefined> {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun === undefined) return undefined;
  const name = "bun:jsc"; // kept from type checkers and bundlers of other runtimes
  const { heapStats } = await import(name) as { heapStats(): { heapSize: number } };
  await new Promise((resolve) => setTimeout(resolve)); // nothing is left on the stack that points to what was let go
  Bun.gc(true);
  return heapStats().heapSize; // with buffers
}

/** Bytes that `letGo` frees, at least 0; undefined where the runtime does not tell. */
export async function freedBy(letGo: () => void): Promise<number | undefined> {
  const before = await held();
  letGo();
  const after = await held();
  return before === undefined || after === undefined ? undefined : Math.max(0, before - after);
}
