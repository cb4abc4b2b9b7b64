// The layout's rules about imports, judged on a graph of files: cycles, and arrows against the order of the rooms.
import { posix } from "node:path";

/** What each file imports, types included, by path from the root with slashes. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Rooms from the bottom up: a file may import its own room and those of earlier lines, but not the others of its line.
 * A room is one file, the folder `a/b` with all below it, or, of a top folder such as `src`, the files right in it.
 */
export type Order = readonly (readonly string[])[];

/** `files`: the text of each by path. */
export function graphOf(files: ReadonlyMap<string, string>): Graph {
  return new Map([...files].map(([path, text]) => [path, importsOf(path, text)]));
}

/** Relative imports of a file, dynamic ones and those of types included. */
export function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*["'](\.[^"']*)["']/g);
  return [...new Set([...found].map(([, specifier]) => posix.join(posix.dirname(path), specifier)))];
}

/** For each file that a cycle leads through, one of its shortest: from the file back to itself. A cycle is told once. */
export function cyclesOf(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const told = new Set<string>();
  for (const start of graph.keys()) {
    const cycle = told.has(start) ? undefined : shortestCycle(graph, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const path of cycle) told.add(path);
  }
  return cycles;
}

function shortestCycle(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const target of graph.get(path) ?? []) {
      if (target === start) {
        const cycle = [start];
        for (let at = path; at !== start; at = cameFrom.get(at)!) cycle.unshift(at);
        return [start, ...cycle];
      }
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      queue.push(target);
    }
  }
  return undefined;
}

/** What is wrong with the imports among files of a top folder that has an order, a line each. */
export function againstOrder(graph: Graph, order: Order): string[] {
  const top = order[0][0].split("/")[0];
  const within = (path: string) => path.startsWith(`${top}/`);
  return [...graph].filter(([path]) => within(path)).flatMap(([path, targets]) => {
    const own = roomOf(path, order);
    if (own === undefined) return [`${path} is in no room of the order of ${top}`];
    return targets.filter(within).flatMap((target) => {
      const room = roomOf(target, order);
      if (room === undefined || room.name === own.name || room.line < own.line) return [];
      return [
        `${path} imports ${target}: ${own.name} stands ${room.line === own.line ? "beside" : "below"} ${room.name}`,
      ];
    });
  });
}

/** The narrowest room that holds a file. */
function roomOf(path: string, order: Order): { name: string; line: number } | undefined {
  const rooms = order.flatMap((names, line) => names.map((name) => ({ name, line })));
  return rooms.filter(({ name }) =>
    name === path || (name.includes("/") ? path.startsWith(`${name}/`) : posix.dirname(path) === name)
  ).sort((a, b) => b.name.length - a.name.length)[0];
}
