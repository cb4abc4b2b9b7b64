// hunch check --shape: tree shapes together with every rule for their law, the chance of both followed.
import type { Engine } from "../../src/backend.ts";
import type { Case } from "../../src/check/case.ts";
import { caseLine } from "../../src/check/report.ts";
import { proveShape, type ShapeReport } from "../../src/check/shapes.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { CheckCommand } from "./options.ts";
import { openRegistry } from "../engine/methods.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { failureLine, numbersFrom, PROOF_HEADING, proofCells } from "./proofs.ts";
import { working } from "./watched.ts";

/** Returns the exit code. */
export async function checkShapes(options: CheckCommand): Promise<number> {
  const registry = await openRegistry(options.plugins);
  const context = withoutModel(registry);
  const rules = await rulesOf(options, registry, context);
  const specs = options.shapes.includes("all") ? registry.list("shape").map(({ name }) => name) : options.shapes;
  const status = new Status(stderr.terminal);
  const reports: (ShapeReport & { readonly spec: string; readonly law: string })[] = [];
  try {
    for (const [i, spec] of specs.entries()) {
      working(`${spec}, being made`);
      const shape = await registry.resolve("shape", spec, context);
      const fitting = rules.filter((rule) => rule.laws.includes(shape.law));
      if (fitting.length === 0) {
        throw new HunchError("usage", `none of these rules judges drafts of law ${shape.law}, which ${spec} draws`);
      }
      for (const [j, rule] of fitting.entries()) {
        status.progress(`${spec} with ${rule.name}`, (i + j / fitting.length) / specs.length);
        const { rounds, seed } = options;
        const begin = (of: Case) => working(`${spec} with ${rule.name}, ${caseLine(of)}`);
        reports.push({ spec, law: shape.law, ...await proveShape(shape, rule, { rounds, seed, begin }) });
      }
    }
  } finally {
    status.clear();
  }
  if (options.json) stdout.line(JSON.stringify(reports.map(({ failure, ...rest }) => ({ ...rest, holds: !failure }))));
  else {
    const rows = reports.map((report) => [report.spec, report.law, ...proofCells(report)]);
    for (const line of table([["shape", "law", ...PROOF_HEADING], ...rows], numbersFrom(2))) stdout.line(line);
    for (const { spec, rule, failure } of reports) {
      if (failure === undefined) continue;
      const { case: of, plan, exact } = failure;
      const where = `${of.kind} rows of ${of.vocab} tokens, ${plan.nodes} nodes`;
      stdout.line(failureLine(spec, rule, exact, where));
    }
  }
  return reports.every(({ failure }) => failure === undefined) ? EXIT.ok : EXIT.refuted;
}

/** Shapes are made as they are before anything was measured. */
export function withoutModel(registry: Registry): PluginContext {
  const unmeasured = { cost: () => NaN } as unknown as Engine;
  const context: PluginContext = {
    target: unmeasured,
    loadModel: () => Promise.reject(new HunchError("usage", "a shape is checked without a model")),
    resolve: (kind, spec) => registry.resolve(kind, spec, context),
  };
  return context;
}

/** The rules that were named, or all that are lossless, sample, and need no model. */
export async function rulesOf(
  { rules }: CheckCommand,
  registry: Registry,
  context: PluginContext,
): Promise<VerificationRule[]> {
  const specs = rules.length > 0 ? rules : registry.list("rule")
    .filter(({ argument }) => argument === undefined || argument.startsWith("["))
    .map(({ name }) => name);
  const made: VerificationRule[] = [];
  for (const spec of specs) made.push(await registry.resolve("rule", spec, context));
  return rules.length > 0
    ? made
    : made.filter(({ lossless, greedy, prepare }) => lossless && !greedy && prepare === undefined);
}
