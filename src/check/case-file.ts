// Cases as JSON: what a failure is printed as, and what `hunch check --case` reads.
//
//   {"law": "distinct", "parents": [-1, -1], "p": [0.5, 0.3, 0.2], "q": [0.9, 0.06, 0.04]}
//
// `parents` is the tree of the draft, −1 for the root. `p` and `q` are one row that holds after every text, or a row for
// each context in the order of src/check/case.ts. A case of tens of thousands of tokens has groups instead:
//
//   {"law": "distinct", "drafts": 2, "groups": [{"count": 1, "p": 0.5, "q": 0.9}, {"count": 49999, "p": 1e-5, "q": 2e-6}]}
import { HunchError } from "../errors.ts";
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
  const fields = new Fields(text, file);
  return fields.has("groups") ? wideCase(fields) : smallCase(fields);
}

function smallCase(fields: Fields): Case {
  fields.only(["vocab", "parents", "p", "q", "growing", "sparse"]);
  const law = fields.law();
  const parents = fields.list("parents", "a tree has 1 to 12 nodes", 12);
  parents.forEach((parent, i) => {
    fields.need(isWhole(parent, -1, i - 1), "the parent is −1 or a node before", `parents[${i}]`);
  });
  const tree = parents as number[];
  const p = fields.rows("p");
  const q = fields.rows("q");
  const vocab = p[0].length;
  for (const [which, rows] of [["p", p], ["q", q]] as const) {
    rows.forEach((row, i) => {
      fields.need(row.length === vocab, `${row.length} probabilities where there are ${vocab}`, `${which}[${i}]`);
    });
  }
  fields.need(isWhole(vocab, 2, 64), `${vocab} tokens; 2 to 64 can be followed`, "p");
  fields.need(vocab ** tree.length <= MOST_DRAFTS, `there are more than ${MOST_DRAFTS} drafts to follow`, "parents");
  const all = (which: string, rows: number[][], length: number) => {
    const contexts = contextCount(vocab, length);
    if (rows.length === 1) return new Array<number[]>(contexts).fill(rows[0]);
    fields.need(rows.length === contexts, `${rows.length} rows where there are ${contexts} contexts`, which);
    return rows;
  };
  const depth = depthOf({ parents: tree });
  return {
    kind: fields.kind(),
    law,
    vocab,
    parents: tree,
    p: all("p", p, depth),
    q: all("q", q, depth - 1),
    sparse: fields.flag("sparse"),
    ...(law === "beam" && { growing: fields.flag("growing") }),
  };
}

function wideCase(fields: Fields): WideCase {
  fields.only(["drafts", "groups"]);
  const law = fields.law();
  if (law === "beam") throw fields.wrong("how many drafts a place has is not settled under the law beam", "law");
  const drafts = fields.values.drafts;
  if (!isWhole(drafts, 1, 3)) throw fields.wrong("1 to 3 drafts can be followed", "drafts");
  const groups = fields.list("groups", "1 to 8 groups can be followed", 8).map((group, i): Group => {
    const { count, p, q } = (group ?? {}) as Record<string, unknown>;
    const at = `groups[${i}]`;
    if (!isWhole(count, 1, MOST_TOKENS)) throw fields.wrong(`a count is 1 to ${MOST_TOKENS}`, `${at}.count`);
    if (!isWeight(p)) throw fields.wrong(NO_WEIGHT, `${at}.p`);
    if (!isWeight(q)) throw fields.wrong(NO_WEIGHT, `${at}.q`);
    return { count, p, q };
  });
  const tokens = sum(groups.map(({ count }) => count));
  fields.need(tokens <= MOST_TOKENS, `${tokens} tokens are more than ${MOST_TOKENS}`, "groups");
  for (const which of ["p", "q"] as const) {
    fields.need(groups.some((group) => group[which] > 0), `all of ${which} is 0`, "groups");
    fields.need(sum(groups.map((group) => group.count * group[which])) < Infinity, `${which}: ${TOO_LARGE}`, "groups");
  }
  return { kind: fields.kind(), law, drafts, groups };
}

const NO_WEIGHT = "a probability is a number of 0 or more";
const TOO_LARGE = "the sum is more than any number";

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isWeight(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

/** The fields of a case, with what is wrong about them. */
class Fields {
  readonly values: Readonly<Record<string, unknown>>;

  constructor(text: string, private readonly file: string) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw this.wrong(`not JSON: ${error instanceof Error ? error.message.slice(0, 120) : error}`);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.wrong("a case is an object");
    this.values = value as Record<string, unknown>;
  }

  wrong(what: string, field?: string): HunchError {
    return new HunchError("input", what, {
      file: this.file,
      field,
      hint: "docs/rules.md shows what a case looks like",
    });
  }

  need(holds: boolean, what: string, field: string): void {
    if (!holds) throw this.wrong(what, field);
  }

  has(field: string): boolean {
    return this.values[field] !== undefined;
  }

  /** A report adds what came out to the case; that is no part of it. */
  only(fields: readonly string[]): void {
    const known = [...fields, "kind", "law", "totalVariation", "broken"];
    for (const field of Object.keys(this.values)) this.need(known.includes(field), "a case has no such field", field);
  }

  law(): DraftLaw {
    const law = DRAFT_LAWS.find((law) => law === this.values.law);
    if (law === undefined) throw this.wrong(`the law is one of ${DRAFT_LAWS.join(", ")}`, "law");
    return law;
  }

  kind(): string {
    return typeof this.values.kind === "string" ? this.values.kind : "given";
  }

  flag(field: string): boolean {
    const value = this.values[field] ?? false;
    if (typeof value !== "boolean") throw this.wrong("it is true or false", field);
    return value;
  }

  list(field: string, what: string, most: number): unknown[] {
    const value = this.values[field];
    if (!Array.isArray(value) || !isWhole(value.length, 1, most)) throw this.wrong(what, field);
    return value;
  }

  /** One row, or all of them. */
  rows(field: string): number[][] {
    const given = this.list(field, "it is a row of probabilities, or a row for each context", MOST_DRAFTS);
    const rows = Array.isArray(given[0]) ? given : [given];
    rows.forEach((row, i) => {
      const at = rows === given ? `${field}[${i}]` : field;
      if (!Array.isArray(row)) throw this.wrong("a row is a list of probabilities", at);
      row.forEach((value, token) => this.need(isWeight(value), NO_WEIGHT, `${at}[${token}]`));
      this.need(row.some((value) => value > 0), "all of the row is 0", at);
      this.need(sum(row) < Infinity, TOO_LARGE, at);
    });
    return rows as number[][];
  }
}
