// hunch check --drafter: drafters, given tiny models of several pairs of vocabularies and something to learn, together with
// every rule for their law; the chance of both followed.
import type { Engine } from "../../src/backend.ts";
import { type DrafterReport, FEW_KINDS, proveDrafter } from "../../src/check/drafters.ts";
import { inVocabularyOf } from "../../src/draft/shared-vocabulary.ts";
import { refuseOtherVocabulary } from "../../src/draft/vocabulary.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";
import type { Plugin, PluginContext } from "../../src/plugins/plugin.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import { type Corpus, IndexedCorpus, indexOf } from "../../src/store/corpus.ts";
import { openRegistry } from "../engine/methods.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import type { CheckCommand } from "./options.ts";
import { rulesOf, withoutModel } from "./shapes.ts";
import { failureLine, numbersFrom, PROOF_HEADING, proofCells } from "./proofs.ts";
import { working } from "./watched.ts";

/** Returns the exit code. */
export async function checkDrafters(options: CheckCommand): Promise<number> {
  const registry = await openRegistry(options.plugins);
  const rules = await rulesOf(options, registry, withoutModel(registry));
  const specs = options.drafters.includes("all") ? ofModels(registry) : options.drafters;
  const status = new Status(stderr.terminal);
  const reports: (DrafterReport & { readonly spec: string })[] = [];
  try {
    for (const [i, spec] of specs.entries()) {
      const ofModel = takesModel(registry.find("drafter", parseSpec(spec).name));
      const make = (target: Engine, draft: Engine) =>
        registry.resolve("drafter", ofModel ? withModel(spec) : spec, contextOf(registry, target, draft));
      const begin = (pair: string, kind: string, fraction: number) => {
        status.progress(spec, (i + fraction) / specs.length);
        working(`${spec}, vocabularies ${pair}, ${kind} rows`);
      };
      const { rounds, seed, quick } = options;
      const found = await proveDrafter(make, rules, { rounds, seed, begin, ...quick && { kinds: FEW_KINDS } });
      if (found.length === 0) {
        throw new HunchError("usage", `none of these rules judges what ${spec} draws from any pair of models`);
      }
      reports.push(...found.map((report) => ({ spec, ...report })));
    }
  } finally {
    status.clear();
  }
  if (options.json) stdout.line(JSON.stringify(reports.map(({ failure, ...rest }) => ({ ...rest, holds: !failure }))));
  else print(reports);
  return reports.every(({ failure }) => failure === undefined) ? EXIT.ok : EXIT.refuted;
}

function print(reports: readonly (DrafterReport & { readonly spec: string })[]): void {
  const rows = reports.map((report) => [report.spec, ...proofCells(report)]);
  for (const line of table([["drafter", ...PROOF_HEADING], ...rows], numbersFrom(1))) stdout.line(line);
  for (const { spec, rule, failure } of reports) {
    if (failure === undefined) continue;
    const { pair, kind, exact } = failure;
    stdout.line(failureLine(spec, rule, exact, `${kind} rows and the vocabularies: ${pair}`));
  }
}

/** The drafters that take a model. */
function ofModels(registry: Registry): string[] {
  return registry.list("drafter").filter(takesModel).map(({ name }) => name);
}

function takesModel({ argument }: Plugin): boolean {
  return argument === "FILE" || argument === "[FILE]";
}

/** The model is given here, so it may be left out. */
function withModel(spec: string): string {
  return spec.replace(/^([^:?]+)(?=\?|$)/, "$1:model");
}

/** Texts that go on with every token after every two. */
function everyPair(vocab: number): Corpus {
  const tokens = Array.from({ length: vocab }, (_, token) => token);
  const texts = tokens.flatMap((a) => tokens.flatMap((b) => tokens.map((c) => [a, b, c, (a + b + c) % vocab])));
  const corpus = new IndexedCorpus(vocab);
  corpus.indexes = [indexOf(texts, vocab)];
  return corpus;
}

function contextOf(registry: Registry, target: Engine, draft: Engine): PluginContext {
  const context: PluginContext = {
    target,
    corpus: () => everyPair(target.source.spec.vocab),
    async loadModel(_, vocabulary) {
      if (vocabulary === "any") return draft;
      refuseOtherVocabulary(target.source, draft.source);
      return inVocabularyOf(target, draft);
    },
    resolve: (kind, spec) => registry.resolve(kind, spec, context),
  };
  return context;
}
