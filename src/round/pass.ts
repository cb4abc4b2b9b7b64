// pass: one forward of the target over the root and the draft; the drafter may go on meanwhile.
import type { Sequence } from "../backend.ts";
import { beside } from "./beside.ts";
import { isStream } from "../chance.ts";
import { requestVerdict } from "./request-verdict.ts";
import type { GenerateOptions } from "../generation.ts";
import { rawSampling } from "../sampling.ts";
import { sampledPass, type SampledScores } from "./sampled-scores.ts";
import { type DraftTree, isChain, rowParents } from "../tree.ts";
import { verifiesGreedily } from "./verify.ts";

/**
 * `text`: the committed tokens; the last of them is the root, whose row is not in the cache yet. Row 0 of the scores is
 * the root's, row i + 1 that of node i. Where the engine judges, the verdict's random numbers are spent.
 */
export async function targetPass(
  { engine, drafter, rule, sampling: given, chance, onRound }: GenerateOptions,
  sequence: Sequence,
  text: Int32Array,
  tree: DraftTree,
): Promise<SampledScores> {
  const relaxed = verifiesGreedily(rule, given, tree);
  const sampling = relaxed ? rawSampling(given) : given;
  await rule.prepare?.(tree, text, sampling); // it may run passes of its own, which would end the scores of this one
  const watched = onRound !== undefined;
  const candidates = drafter.candidates !== undefined;
  const taps = [...new Set([...drafter.taps ?? [], ...rule.taps ?? []])];
  const verify = watched || relaxed || candidates || taps.length > 0 || !isStream(chance) // where the engine verifies, nothing else is at hand
    ? undefined
    : requestVerdict(rule, tree, sampling, engine.can, chance);
  const scoring = sampledPass(
    sequence,
    { ...rowsOf(text[text.length - 1], tree), ...taps.length > 0 && { taps } },
    sampling,
    text,
    tree,
    {
      verify,
      candidates,
    },
  );
  const scores = await beside(scoring, tree, tree.tokens.length + 1, { engine, drafter });
  if (watched) await scores.load();
  if (scores.verified !== undefined && isStream(chance)) chance.spend(scores.verified.used);
  return scores;
}

/** The root before the draft. A chain is told as one: it needs no mask. */
function rowsOf(root: number, tree: DraftTree): { readonly tokens: Int32Array; readonly parents?: Int32Array } {
  const tokens = Int32Array.of(root, ...tree.tokens);
  if (isChain(tree)) return { tokens };
  return { tokens, parents: rowParents(tree) };
}
