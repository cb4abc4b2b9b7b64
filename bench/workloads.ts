// User messages by kind of work, from the data sets of the command.
import { DATA_SETS, tasksOf } from "../cli/bench/data.ts";

/** So many of each kind, spread over their sets. */
export async function workloads(count: number): Promise<Record<string, string[]>> {
  const kinds = Map.groupBy(await tasksOf(DATA_SETS, count), ({ kind }) => kind);
  return Object.fromEntries([...kinds].map(([kind, tasks]) => [kind, tasks.map(({ text }) => text)]));
}
