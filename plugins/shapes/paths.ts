// Independent paths through a growing tree. What the shapes iid and delayed share; not a shape of its own.
import type { Chance } from "../../src/chance.ts";
import type { Growing } from "./growing.ts";

/**
 * Makes every path longer by up to `length` independent draws, level by level. `ends`: the node where each path ends.
 *
 * Paths that have said the same so far go on below one of their nodes: it is one place, and so the proposer is asked
 * once, equal beginnings are continued from the very same distribution, and a rule finds all drafts of it together.
 */
export async function addPaths(growing: Growing, ends: number[], length: number, chance: Chance): Promise<void> {
  for (let step = 0; step < length && ends.length > 0; step++) {
    const open = ends.filter((end) => growing.deeper(end)).slice(0, growing.room);
    await growing.ask(open);
    const places = new Map<string, number>();
    ends = open.filter((end) => growing.q(end) !== undefined).map((end) => {
      const [node] = growing.addIndependent(end, 1, chance);
      const key = `${end} ${growing.tokens[node]}`;
      if (!places.has(key)) places.set(key, node);
      return places.get(key)!;
    });
  }
}
