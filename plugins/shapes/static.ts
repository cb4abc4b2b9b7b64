// static: a tree of the same form in every round, from a file.
// Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads (Cai et al., 2024, arXiv 2401.10774):
// a list of paths, each a list of ranks, `[[0], [1], [0, 0], …]`; node [0, 2] is the third child of the first child.
// Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding (Chen et al., 2024, arXiv 2402.12374): the children
// of each node, the root first, `{"Successors": [[1, 2], [3], [], []]}`.
//
// Medusa's children are the likeliest by rank (law `point`), Sequoia's are drawn without replacement (`distinct`). The
// form does not depend on what is drawn, so either is true to its law.
import { readFileSync, statSync } from "node:fs";
import type { Plan } from "../../src/controller.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Forms } from "./best-skeleton.ts";
import { type Flesh, growSkeleton, type Skeleton } from "./skeleton.ts";

const MOST_NODES = 1024;
const MOST_BYTES = 1 << 20;

/** Without a file: the likeliest child is right this often, the next this often, and so on. */
export const USUAL_ACCEPTANCE: readonly number[] = [0.6, 0.15, 0.06, 0.03];

export function fixedTree(form: (plan: Plan) => Skeleton, law: Flesh): TreeShape {
  return {
    name: "static",
    law,
    grow: (proposer, plan, chance) => growSkeleton(form(plan), law, proposer, plan, chance),
  };
}

/** The best form for the usual acceptance, one for each size of plan; beyond 64 nodes or 16 levels it stays the same. */
export function usualForm(): (plan: Plan) => Skeleton {
  const forms = new Forms(USUAL_ACCEPTANCE, 64, 16);
  return ({ nodes, depth }) => forms.skeleton(nodes, depth);
}

/** Reads either format. Throws HunchError("input") with the file and the entry that is wrong. */
export function readSkeleton(file: string): Skeleton {
  const refuse = (what: string, hint = "give Medusa's list of rank paths, or Sequoia's Successors"): never => {
    throw new HunchError("input", what, { file, hint });
  };
  let value: unknown;
  try {
    if (statSync(file).size > MOST_BYTES) refuse(`a tree of more than ${MOST_BYTES} bytes`);
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof HunchError) throw error;
    const missing = !(error instanceof SyntaxError);
    refuse(missing ? "the tree cannot be read" : "the tree is not JSON", missing ? "check the path" : undefined);
  }
  const isRanks = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((rank) => Number.isInteger(rank) && rank >= 0);
  const successors = (value as { Successors?: unknown } | null)?.Successors;
  const paths = Array.isArray(value) ? value : pathsOf(successors);
  if (paths === undefined) return refuse("the tree is neither a list nor has it Successors");
  if (paths.length > MOST_NODES) refuse(`a tree of ${paths.length} nodes; at most ${MOST_NODES} are allowed`);
  const places = new Map([["", -1]]);
  const counts: number[] = [];
  return paths.map((path: unknown, i: number) => {
    if (!isRanks(path) || path.length === 0) return refuse(`entry ${i} of the tree is no path of ranks`);
    const parent = places.get(path.slice(0, -1).join());
    if (parent === undefined) return refuse(`entry ${i} of the tree, [${path}], comes before its parent`);
    const rank = counts[parent + 1] ?? 0;
    if (path[path.length - 1] !== rank) {
      return refuse(`entry ${i} of the tree, [${path}], should be child ${rank} of its parent`);
    }
    counts[parent + 1] = rank + 1;
    places.set(path.join(), i);
    return parent;
  });
}

/** Sequoia's lists of children as rank paths; what is wrong with them shows there. Undefined where they are no lists. */
function pathsOf(successors: unknown): unknown[] | undefined {
  if (!Array.isArray(successors)) return undefined;
  const paths: number[][] = [[]];
  for (let node = 0; node < successors.length && node < paths.length && paths.length <= MOST_NODES + 1; node++) {
    const children = successors[node];
    if (!Array.isArray(children)) return undefined;
    children.forEach((child: unknown, rank) => {
      if (typeof child === "number" && Number.isInteger(child) && child > node && child <= MOST_NODES) {
        paths[child] = [...paths[node], rank];
      }
    });
  }
  return Array.from(paths, (path) => path ?? null).slice(1);
}

export default definePlugin({
  kind: "shape",
  name: "static",
  summary: "a tree of the same form in every round, from a file (Medusa's or Sequoia's)",
  argument: "[FILE]",
  paper: {
    title: "Medusa: Simple LLM Inference Acceleration Framework with Multiple Decoding Heads",
    year: 2024,
    arxiv: "2401.10774",
  },
  options: {
    law: {
      type: "string",
      default: "point",
      choices: ["point", "distinct"],
      summary: "children: the likeliest (point) or drawn without replacement (distinct)",
    },
  },
  create({ law }, file) {
    const read = file === "" ? undefined : readSkeleton(file);
    return fixedTree(read === undefined ? usualForm() : () => read, law);
  },
});
