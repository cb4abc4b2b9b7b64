// Trees grown level by level, one pass of the proposer each. What several shapes share; not a shape of its own.
import type { Chance } from "../../src/chance.ts";
import { HunchError } from "../../src/errors.ts";
import type { OptionSpec } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import type { DraftLaw } from "../../src/tree.ts";
import { Growing } from "./growing.ts";

/**
 * Grows level by level until nodes or depth run out. `wanted` says how many children a node is to have before any of
 * them is drawn; `draw` draws them. Where nodes run short, those that stand first are served first. `level`: where it
 * begins, the root by default.
 */
export async function growLevels(
  growing: Growing,
  wanted: (node: number) => number,
  draw: (node: number, count: number) => number[],
  level: readonly number[] = [-1],
): Promise<void> {
  while (level.length > 0 && growing.room > 0) {
    let room = growing.room;
    const served: { node: number; count: number }[] = [];
    for (const node of level) {
      const count = growing.deeper(node) ? Math.min(wanted(node), room) : 0;
      if (count > 0) served.push({ node, count });
      room -= count;
    }
    await growing.ask(served.map(({ node }) => node));
    level = served.flatMap(({ node, count }) => growing.q(node) === undefined ? [] : draw(node, count));
  }
}

/** A shape with as many children for each node of a level as `widths` says; `add` gives a node its children. */
export function levelShape(
  name: string,
  law: DraftLaw,
  widths: readonly number[],
  add: (growing: Growing, node: number, count: number, chance: Chance) => number[],
): TreeShape {
  return {
    name,
    law,
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      await growLevels(
        growing,
        (node) => widthAt(widths, growing.depth(node)),
        (node, count) => add(growing, node, count, chance),
      );
      return growing.tree(law);
    },
  };
}

/** The option `widths` of a shape. */
export function widthsOption(standard: string): OptionSpec<"string"> {
  return { type: "string", default: standard, summary: "children per node by depth; the last holds from there on" };
}

/** `4,2,1` as numbers. Throws HunchError("usage"). */
export function parseWidths(shape: string, text: string): number[] {
  const widths = text.split(",").map(Number);
  if (widths.every((width) => Number.isInteger(width) && width >= 1 && width <= 1024)) return widths;
  throw new HunchError("usage", `${shape}?widths is ${JSON.stringify(text)}`, {
    hint: "give whole numbers of 1 or more with commas between them, such as 4,2,1",
  });
}

/** Children of a node at a depth (0: of the root). */
export function widthAt(widths: readonly number[], depth: number): number {
  return widths[Math.min(depth, widths.length - 1)];
}
