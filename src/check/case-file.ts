// Cases as JSON: what a failure is printed as, and what `hunch check --case` reads.
//
//   {"law": "distinct", "parents": [-1, -1], "p": [0.5, 0.3, 0.2], "q": [0.9, 0.06, 0.04]}
//
// `parents` is the tree of the draft, −1 for the root. `p` and `q` are one row that holds after every text, or a row for
// each context in the order of src/check/case.ts. A case of tens of thousands of tokens has groups instead:
//
//   {"law": "distinct", "drafts": 2, "groups": [{"count": 1, "p": 0.5, "q": 0.9}, {"count": 49999, "p": 1e-5, "q": 2e-6}]}
import { HunchError } from "../errors.ts";
import { Fields, isWhole } from "../fields.ts";
import { depthOf, DRAFT_LAWS, type DraftLaw } from "../tree.ts";
import { type Case, contextCount } from "./case.ts";
import type { Group, WideCase } from "./wide.ts";

/** Drafts that can be followed: vocab^nodes. */
const MOST_DRAFTS = 100_000;
const MOST_TOKENS = 200_000;

/** On one line. Rows that are all the same are written once. */
export function caseText(of: Case | WideCase): string {
  if ("groups" in of) return JSON.stringify(of);
  const { kind, law, parents, p, q, growing, sparse } = of;
  const once = (rows: Case["p"]) => rows.every((row) => row.join() === rows[0].join()) ? rows[0] : rows;
  return JSON.stringify({ kind, law, parents, p: once(p), q: once(q), growing, sparse });
}

/** Throws HunchError("input") that names the file and the field. */
export function parseCase(text: string, file: string): Case | WideCase {
  const refuse = (must: string, field: string) =>
    new HunchError("input", must, {
      file,
      field: field || undefined,
      hint: "docs/rules.md shows what a case looks like",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`not JSON: ${error instanceof Error ? error.message.slice(0, 120) : error}`, "");
  }
  const fields = Fields.of(value, refuse, "a case is an object");
  return fields.has("groups") ? wideCase(fields) : smallCase(fields);
}

function smallCase(fields: Fields): Case {
  onlyFields(fields, ["vocab", "parents", "p", "q", "growing", "sparse"]);
  const law = lawOf(fields);
  const parents = fields.list("parents", "a tree has 1 to 12 nodes", 12);
  parents.forEach((parent, i) => {
    fields.need(isWhole(parent, -1, i - 1), `parents[${i}]`, "the parent is −1 or a node before");
  });
  const tree = parents as number[];
  const p = rowsOf(fields, "p");
  const q = rowsOf(fields, "q");
  const vocab = p[0].length;
  for (const [which, rows] of [["p", p], ["q", q]] as const) {
    rows.forEach((row, i) => {
      fields.need(row.length === vocab, `${which}[${i}]`, `${row.length} probabilities where there are ${vocab}`);
    });
  }
  fields.need(isWhole(vocab, 2, 64), "p", `${vocab} tokens; 2 to 64 can be followed`);
  fields.need(vocab ** tree.length <= MOST_DRAFTS, "parents", `there are more than ${MOST_DRAFTS} drafts to follow`);
  const all = (which: string, rows: number[][], length: number) => {
    const contexts = contextCount(vocab, length);
    if (rows.length === 1) return new Array<number[]>(contexts).fill(rows[0]);
    fields.need(rows.length === contexts, which, `${rows.length} rows where there are ${contexts} contexts`);
    return rows;
  };
  const depth = depthOf({ parents: tree });
  return {
    kind: kindOf(fields),
    law,
    vocab,
    parents: tree,
    p: all("p", p, depth),
    q: all("q", q, depth - 1),
    sparse: fields.optional("sparse", "boolean", "it is true or false") ?? false,
    ...(law === "beam" && { growing: fields.optional("growing", "boolean", "it is true or false") ?? false }),
  };
}

function wideCase(fields: Fields): WideCase {
  onlyFields(fields, ["drafts", "groups"]);
  const law = lawOf(fields);
  if (law === "beam") throw fields.wrong("law", "how many drafts a place has is not settled under the law beam");
  const drafts = fields.whole("drafts", 1, 3, "1 to 3 drafts can be followed");
  if (drafts === undefined) throw fields.wrong("drafts", "1 to 3 drafts can be followed");
  const groups = fields.each("groups", groupOf, "1 to 8 groups can be followed", 8);
  const tokens = sum(groups.map(({ count }) => count));
  fields.need(tokens <= MOST_TOKENS, "groups", `${tokens} tokens are more than ${MOST_TOKENS}`);
  for (const which of ["p", "q"] as const) {
    fields.need(groups.some((group) => group[which] > 0), "groups", `all of ${which} is 0`);
    fields.need(sum(groups.map((group) => group.count * group[which])) < Infinity, "groups", `${which}: ${TOO_LARGE}`);
  }
  return { kind: kindOf(fields), law, drafts, groups };
}

const NO_WEIGHT = "a probability is a number of 0 or more";
const TOO_LARGE = "the sum is more than any number";

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function isWeight(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

function groupOf(fields: Fields): Group {
  const { count, p, q } = fields.values;
  if (!isWhole(count, 1, MOST_TOKENS)) throw fields.wrong("count", `a count is 1 to ${MOST_TOKENS}`);
  if (!isWeight(p)) throw fields.wrong("p", NO_WEIGHT);
  if (!isWeight(q)) throw fields.wrong("q", NO_WEIGHT);
  return { count, p, q };
}

/** A report adds what came out to the case; that is no part of it. */
function onlyFields(fields: Fields, own: readonly string[]): void {
  const known = [...own, "kind", "law", "totalVariation", "broken"];
  for (const field of Object.keys(fields.values)) fields.need(known.includes(field), field, "a case has no such field");
}

function lawOf(fields: Fields): DraftLaw {
  return fields.choice("law", DRAFT_LAWS, `the law is one of ${DRAFT_LAWS.join(", ")}`);
}

function kindOf({ values: { kind } }: Fields): string {
  return typeof kind === "string" ? kind : "given";
}

/** One row, or all of them. */
function rowsOf(fields: Fields, name: string): number[][] {
  const given = fields.list(name, "it is a row of probabilities, or a row for each context", MOST_DRAFTS);
  const rows = Array.isArray(given[0]) ? given : [given];
  rows.forEach((row, i) => {
    const at = rows === given ? `${name}[${i}]` : name;
    if (!Array.isArray(row)) throw fields.wrong(at, "a row is a list of probabilities");
    row.forEach((value, token) => fields.need(isWeight(value), `${at}[${token}]`, NO_WEIGHT));
    fields.need(row.some((value) => value > 0), at, "all of the row is 0");
    fields.need(sum(row) < Infinity, at, TOO_LARGE);
  });
  return rows as number[][];
}
