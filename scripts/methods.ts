// Writes the table of docs/methods.md from what the built-in plugins say of themselves, so that it is never wrong.
//
//   node scripts/bun.mjs scripts/methods.ts            writes it
//   node scripts/bun.mjs scripts/methods.ts --check    only says whether it is up to date (part of npm run check)
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { builtin } from "../plugins/builtin.ts";
import { claimsOf } from "../src/plugins/claims.ts";
import type { Methods, Plugin } from "../src/plugins/plugin.ts";
import { ROOT } from "./runtimes.ts";

const PAGE = `${ROOT}docs/methods.md`;
const BEGIN = "<!-- made by scripts/methods.ts -->";
const END = "<!-- end -->";

const KINDS: Readonly<Record<keyof Methods, string>> = {
  drafter: "Drafters: who guesses",
  proposer: "Proposers: how likely tokens are, for shapes",
  shape: "Shapes: what a draft of a proposer looks like",
  rule: "Rules: how much of a draft stands",
  controller: "Controllers: how much is drafted",
  backend: "Backends",
};

/** What is wrong with the page; nothing where it is up to date. */
export async function methodsPage(): Promise<string[]> {
  const { page, fresh } = await pages();
  return page === fresh ? [] : ["docs/methods.md is out of date; run: node scripts/bun.mjs scripts/methods.ts"];
}

async function pages(): Promise<{ page: string; fresh: string }> {
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(BEGIN) + BEGIN.length, to = page.indexOf(END);
  return { page, fresh: `${page.slice(0, from)}\n\n${await tables()}\n\n${page.slice(to)}` };
}

async function tables(): Promise<string> {
  const parts = [];
  for (const kind of Object.keys(KINDS) as (keyof Methods)[]) {
    const plugins = builtin.filter((plugin) => plugin.kind === kind);
    if (plugins.length === 0) continue;
    const label = kind === "rule" || kind === "shape";
    const rows = [];
    for (const plugin of plugins) {
      const cells = [`\`${plugin.name}\``, plugin.summary, ...label ? [await says(plugin)] : [], paper(plugin)];
      rows.push(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
    }
    const head = ["name", "what it does", ...kind === "rule" ? ["output"] : kind === "shape" ? ["law"] : [], "paper"];
    parts.push(
      [`## ${KINDS[kind]}`, "", `| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...rows].join("\n"),
    );
  }
  return parts.join("\n\n");
}

function paper({ paper }: Plugin): string {
  if (!paper) return "";
  const { title, year, arxiv } = paper;
  return arxiv ? `[${title}](https://arxiv.org/abs/${arxiv}) (${year})` : `${title} (${year})`;
}

/** What a rule promises, or the law of a shape's drafts; empty where only the model at hand can tell. */
async function says(plugin: Plugin): Promise<string> {
  const { laws = [], lossless, greedy } = await claimsOf(plugin) ?? {};
  const names = laws.map((law) => `\`${law}\``).join(", ");
  if (lossless === undefined) return names;
  return `${lossless ? "lossless" : "**relaxed**"}${greedy ? " at temperature 0" : ""} for ${names}`;
}

if (import.meta.main) {
  const { page, fresh } = await pages();
  if (process.argv.includes("--check")) process.exit(page === fresh ? 0 : 1);
  writeFileSync(PAGE, fresh);
}
