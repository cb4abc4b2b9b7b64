// hunch check: the proof of one rule, several or all, as a table or as JSON.
import type { Case } from "../../src/check/case.ts";
import { type ProofOptions, proveRule, type RuleReport } from "../../src/check/prove.ts";
import { caseText, parseCase } from "../../src/check/case-file.ts";
import { caseLine, failureLines, reportLines, wideFailureLines } from "../../src/check/report.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { OptionSpec, Plugin, PluginContext } from "../../src/plugins/plugin.ts";
import type { WideCase } from "../../src/check/wide.ts";
import type { CheckCommand } from "./options.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { DraftLaw } from "../../src/tree.ts";
import { openRegistry } from "../engine/methods.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { readText } from "../input/text.ts";
import { working } from "./watched.ts";

/** Returns the exit code. */
export async function check(options: CheckCommand): Promise<number> {
  const registry = await openRegistry(options.plugins);
  const context = withoutModel(registry);
  const specs = specsOf(options, registry);
  const only = options.case === undefined ? undefined : parseCase(await readText(options.case), options.case);
  const laws = only === undefined ? options.laws : [lawOf(only, options)];
  const status = new Status();
  const reports: RuleReport[] = [];
  const left: string[] = [];
  /** With --all, what has nothing to say of a case is told and left; a rule that was named must be checked. */
  const leave = (spec: string, why: string) => {
    if (!options.all) throw new HunchError("usage", `${spec} cannot be checked on this case: ${why}`);
    left.push(`${spec}: ${why}`);
  };
  try {
    for (const [i, spec] of specs.entries()) {
      const progress = (law: string, fraction: number) =>
        status.progress(`${spec}, ${law}`, (i + fraction) / specs.length);
      let rule: VerificationRule | undefined;
      try {
        working(`${spec}, being made`);
        rule = await ruleOf(spec, { ...options, laws }, registry, context);
        const foreign = only === undefined ? undefined : cannotJudge(rule, only);
        if (foreign !== undefined) {
          leave(spec, foreign);
          continue;
        }
        const begin = (of: Case) => working(`${spec}, ${caseLine(of)}`);
        const report = proveRule(rule, proofOf(rule, { ...options, laws, only, progress, begin }));
        if (only !== undefined && report.laws[0].cases === 0) leave(spec, NOT_FOLLOWED);
        else reports.push({ ...report, rule: spec });
      } catch (error) {
        // With --all, what cannot be proved for want of a model is told and left; a rule that claims must be proved.
        if (!options.all || !(error instanceof HunchError) || error.kind !== "usage" || rule?.lossless) throw error;
        left.push(`${spec}: ${error.message}`);
      }
    }
  } finally {
    status.clear();
  }
  if (options.json) stdout.line(JSON.stringify({ rules: reports.map(reportJson), left }));
  else print(reports, left);
  return reports.every(({ holds }) => holds) ? EXIT.ok : EXIT.refuted;
}

/** Rules are proved on tables; one that asks for a model cannot be. */
function withoutModel(registry: Registry): PluginContext {
  const none = () => new HunchError("usage", "it needs a model", { hint: "see hunch check --bound" });
  const context: PluginContext = {
    get target(): never {
      throw none();
    },
    loadModel: () => Promise.reject(none()),
    resolve: (kind, spec) => registry.resolve(kind, spec, context),
  };
  return context;
}

function print(reports: readonly RuleReport[], left: readonly string[]): void {
  for (const line of reportLines(reports)) stdout.line(line);
  for (const { rule, laws } of reports) {
    for (const { failure, wideFailure } of laws) {
      if (failure !== undefined) stdout.line(["", ...failureLines(rule, failure)].join("\n"));
      if (wideFailure !== undefined) stdout.line(["", ...wideFailureLines(rule, wideFailure)].join("\n"));
    }
  }
  for (const line of left) stderr.line(`not checked: ${line}`);
}

/** The same, with the failing case in full. Numbers that are none (after a failure) are null. */
function reportJson(report: RuleReport) {
  return {
    ...report,
    laws: report.laws.map(({ failure, wideFailure, ...law }) => ({
      ...law,
      failure: (failure && {
        ...JSON.parse(caseText(failure.case)),
        totalVariation: failure.exact.totalVariation,
        broken: failure.exact.broken,
        hidden: failure.exact.hidden,
      }) ?? (wideFailure && { ...wideFailure.case, totalVariation: wideFailure.totalVariation }),
    })),
  };
}

/** Why a case of tens of thousands of tokens was not run. */
const NOT_FOLLOWED = "it refuses so many tokens, or treats tokens with the same p and q differently";

/** A case is of one law. */
function lawOf({ law }: Case | WideCase, { case: path, laws }: CheckCommand): DraftLaw {
  if (laws.length === 0 || laws.includes(law)) return law;
  throw new HunchError("usage", `the case ${path} is of the law ${law}, not ${laws.join(" or ")}`, {
    hint: "leave out --law",
  });
}

/** Why a rule has nothing to say of a case, where it has not. */
function cannotJudge(rule: VerificationRule, of: Case | WideCase): string | undefined {
  const siblings = "groups" in of
    ? of.drafts
    : Math.max(...of.parents.map((parent) => of.parents.filter((other) => other === parent).length));
  if (!rule.laws.includes(of.law)) return `it does not claim the law ${of.law}`;
  const { maxSiblings = Infinity } = rule;
  return siblings > maxSiblings ? `it judges ${maxSiblings} drafts of one place, the case has ${siblings}` : undefined;
}

function specsOf(options: CheckCommand, registry: Registry): string[] {
  if (options.all === options.rules.length > 0) {
    const names = registry.list("rule").map(({ name }) => name).join(", ");
    throw new HunchError("usage", "name a rule to check, or --all", { hint: `there are ${names}` });
  }
  const specs = options.all ? registry.list("rule").map(({ name }) => name) : options.rules;
  return options.sweep ? specs.flatMap((spec) => [spec, ...variants(spec, registry)]) : [...specs];
}

/** Specs of a relaxed rule with each of its numbers at a quarter, half, double and four times its default. */
function variants(spec: string, registry: Registry): string[] {
  if (/[?:]/.test(spec)) return [];
  const plugin: Plugin<"rule"> = registry.find("rule", spec);
  return Object.entries(plugin.options ?? {}).flatMap(([name, option]) =>
    [0.25, 0.5, 2, 4].map((factor) => scaled(option, factor)).filter((value) => value !== undefined)
      .filter((value, i, all) => value !== option.default && all.indexOf(value) === i)
      .map((value) => `${spec}?${name}=${value}`)
  );
}

function scaled({ type, default: value, min = -Infinity, max = Infinity }: OptionSpec, by: number): number | undefined {
  if (type !== "number" && type !== "integer") return undefined;
  const clamped = Math.min(max, Math.max(min, value * by));
  return type === "integer" ? Math.round(clamped) : Number(clamped.toPrecision(6));
}

/** Throws HunchError where the rule cannot be proved without a model or a file. */
async function ruleOf(
  spec: string,
  { all, laws }: CheckCommand,
  registry: Registry,
  context: PluginContext,
): Promise<VerificationRule> {
  const { argument } = registry.find("rule", spec.split(/[?:]/)[0]);
  const refuse = (why: string) =>
    new HunchError("usage", `${all ? "" : `${spec} cannot be checked on its own: `}${why}`);
  if (argument !== undefined && !argument.startsWith("[") && !spec.includes(":")) {
    throw refuse(`it needs its ${argument}`);
  }
  const rule = await registry.resolve("rule", spec, context);
  if (rule.prepare !== undefined) throw refuse("it asks a model about each draft");
  const foreign = laws.find((law) => !rule.laws.includes(law));
  if (foreign !== undefined && !all) {
    throw new HunchError("usage", `${spec} does not claim the law ${foreign}`, {
      hint: `it has ${rule.laws.join(", ")}`,
    });
  }
  return rule;
}

function proofOf(
  rule: VerificationRule,
  { laws, ...proof }: Omit<CheckCommand, "progress"> & Pick<ProofOptions, "progress" | "begin" | "only">,
): ProofOptions {
  return { ...proof, laws: laws.length > 0 ? laws.filter((law) => rule.laws.includes(law)) : undefined };
}
