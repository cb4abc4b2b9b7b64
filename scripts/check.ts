// Everything about the source that a program can judge: format, lint, types, and the rules of the layout.
// `npm run check` prints what is wrong; `npm test` counts each of these checks as one test.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { againstOrder, cyclesOf, type Graph, graphOf, type Order } from "./imports.ts";
import { brokenLinks } from "./links.ts";
import { numbersInDocuments } from "./numbers.ts";
import { run } from "./process.ts";
import { command, ROOT } from "./runtimes.ts";

export interface Check {
  /** A sentence, like the name of a test. */
  readonly name: string;
  /** What is wrong, a line each; empty where nothing is. */
  run(): Promise<string[]> | string[];
}

const FOLDERS = ["src", "kernels", "plugins", "cli", "scripts", "bench", "test", "docs"];

/** What a folder may import, besides itself. The others may import everything. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  src: [],
  kernels: ["src"],
  plugins: ["src"],
  cli: ["src", "kernels", "plugins", "package.json"],
};

/** The order within a folder. The round is last but for what checks it and what hands all out. */
const ORDERS: readonly Order[] = [
  [
    ["src/errors.ts", "src/running.ts", "src/suggestion.ts", "src/weight-format.ts"],
    ["src/fields.ts", "src/output-file.ts", "src/room.ts", "src/sampling.ts"],
    ["src/assets"],
    ["src/math"],
    ["src/model"],
    ["src/store"],
    ["src"], // the contracts
    ["src/draft", "src/plugins"],
    ["src/round"],
    ["src/check"],
    ["src/mod.ts"],
  ],
  [["kernels"], ["kernels/reference", "kernels/onnx", "kernels/webgpu"], ["kernels/backends.ts"]],
  [
    ["cli/version.ts", "cli/output", "cli/words"],
    ["cli/options.ts"],
    ["cli/input"],
    ["cli/terminal", "cli/cache"],
    ["cli/engine"],
    ["cli/model", "cli/generate", "cli/score", "cli/check", "cli/bench"],
    ["cli/simulate"],
    ["cli/tune", "cli/claims", "cli/export"],
    ["cli/chat", "cli/store"],
    ["cli/commands"],
    ["cli/run.ts"],
    ["cli/main.ts"],
  ],
];

/** Marks of unfinished work, of switched-off types, and paths that exist on one machine only. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/@ts-(?:ignore|nocheck|expect-error)/, "switches the type check off"],
  [/\b(?:TODO|FIXME|XXX)\b/, "unfinished"],
  [/["'`(\s]\/(?:home|root|work|Users)\/\w/, "a path of one machine"],
  [/\bdebugger;/, "left from debugging"],
  [/\b(?:test|it|describe|suite|t|context)\.(?:skip|todo|only)\b/, "hides a test (give { skip: because(reason) })"],
];

export const checks: readonly Check[] = [
  { name: "the format is deno fmt's", run: () => tool([...command("deno"), "fmt", "--check"]) },
  { name: "deno lint finds nothing", run: () => tool([...command("deno"), "lint"]) },
  { name: "deno check finds nothing", run: () => tool([...command("deno"), "check", ...sources()]) },
  {
    name: "tsc finds nothing",
    run: () => tool(["node", join("node_modules", "typescript", "bin", "tsc"), "-p", ".", "--noEmit"]),
  },
  { name: "imports point one way: cli to plugins and kernels, those to src", run: direction },
  { name: "no file imports itself by a detour", run: () => cyclesOf(imports()).map((cycle) => cycle.join(" → ")) },
  {
    name: "within src, kernels and cli, imports keep to the order of the rooms",
    run: () => ORDERS.flatMap((order) => againstOrder(imports(), order)),
  },
  { name: "every source file says first what it is", run: headers },
  {
    name: "the table of methods says what the plugins say",
    run: async () => (await import("./methods.ts")).methodsPage(),
  },
  { name: "links between documents lead to files and headings", run: () => brokenLinks(ROOT, documents()) },
  { name: "measured numbers in documents are those of docs/measured", run: numbersInDocuments },
  { name: "nothing is unfinished or bound to one machine", run: forbidden },
];

function documents(): string[] {
  const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...pages];
}

/** Source files of the project, with paths from the root. */
export function sources(folders: readonly string[] = FOLDERS): string[] {
  return folders.flatMap((folder) => walk(folder)).filter((path) => path.endsWith(".ts")).sort();
}

function walk(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(ROOT, folder));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (name === "node_modules" || name === "fixtures" || name.startsWith(".")) return [];
    const path = join(folder, name);
    return statSync(join(ROOT, path)).isDirectory() ? walk(path) : [path];
  });
}

async function tool(line: readonly string[]): Promise<string[]> {
  const { code, output } = await run(line, { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" });
  return code === 0 ? [] : [output.trim() || `${line.join(" ")} ended with ${code}`];
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Who imports whom. */
function imports(): Graph {
  return graphOf(new Map(sources().map((path) => [path.replaceAll(sep, "/"), read(path)])));
}

function direction(): string[] {
  return [...imports()].flatMap(([path, targets]) => {
    const home = path.split("/")[0];
    const allowed = MAY_IMPORT[home];
    return targets.flatMap((target) => {
      const folder = target.split("/")[0];
      if (folder === "..") return [`${path}: ${target} is outside the repository`];
      return !allowed || folder === home || allowed.includes(folder)
        ? []
        : [`${path}: ${home} may not import ${target}`];
    });
  });
}

function headers(): string[] {
  return sources().filter((path) => !/^(?:#![^\n]*\n)?(?:\/\/ |\/\*\*)/.test(read(path)))
    .map((path) => `${path}: the first line is no comment`);
}

function forbidden(): string[] {
  return sources().filter((path) => path !== join("scripts", "check.ts")).flatMap((path) =>
    read(path).split("\n").flatMap((line, index) =>
      FORBIDDEN.filter(([pattern]) => pattern.test(line)).map(([, why]) =>
        `${path}:${index + 1}: ${why}: ${line.trim()}`
      )
    )
  );
}

/** What is wrong; a check that breaks down is wrong itself. */
export async function complaintsOf(check: Check): Promise<string[]> {
  try {
    return await check.run();
  } catch (error) {
    return [error instanceof Error ? error.stack ?? error.message : String(error)];
  }
}

if (import.meta.main) {
  let failed = 0;
  for (const check of checks) {
    const complaints = await complaintsOf(check);
    if (complaints.length > 0) failed++;
    console.log(`${complaints.length === 0 ? "ok    " : "FAILED"} ${check.name}`);
    for (const complaint of complaints) console.log(complaint);
  }
  process.exit(failed === 0 ? 0 : 1);
}
