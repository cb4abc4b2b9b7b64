// The methods that hunch comes with, registered as a stranger's are.
import type { Plugin } from "../src/plugins/plugin.ts";
import bandit from "./controllers/bandit.ts";
import confidence from "./controllers/confidence.ts";
import cost from "./controllers/cost.ts";
import draftExit from "./controllers/draft-exit.ts";
import entropy from "./controllers/entropy.ts";
import fixed from "./controllers/fixed.ts";
import goodput from "./controllers/goodput.ts";
import marginal from "./controllers/marginal.ts";
import specDec from "./controllers/specdec++.ts";
import specKv from "./controllers/speckv-gamma.ts";
import auto from "./drafters/auto.ts";
import cascade from "./drafters/cascade.ts";
import clasp, { claspProposer } from "./drafters/clasp.ts";
import del from "./drafters/del.ts";
import dresd from "./drafters/dresd.ts";
import exit, { exitProposer } from "./drafters/exit.ts";
import graft from "./drafters/graft.ts";
import hierarchy from "./drafters/hierarchy.ts";
import knnSsd from "./drafters/knn-ssd.ts";
import lookahead from "./drafters/lookahead.ts";
import lookup from "./drafters/lookup.ts";
import merge from "./drafters/merge.ts";
import model, { modelProposer } from "./drafters/model.ts";
import none from "./drafters/none.ts";
import omniDraft, { omniDraftProposer } from "./drafters/omnidraft.ts";
import ouroboros from "./drafters/ouroboros.ts";
import pool from "./drafters/pool.ts";
import recycling from "./drafters/recycling.ts";
import skip, { skipProposer } from "./drafters/skip.ts";
import slem from "./drafters/slem.ts";
import slrs, { slrsProposer } from "./drafters/slrs.ts";
import rasd from "./drafters/rasd.ts";
import rest from "./drafters/rest.ts";
import spine from "./drafters/spine.ts";
import stand from "./drafters/stand.ts";
import successors from "./drafters/successors.ts";
import suffix from "./drafters/suffix.ts";
import superposed from "./drafters/superposed.ts";
import swift, { swiftProposer } from "./drafters/swift.ts";
import trigram from "./drafters/trigram.ts";
import tli, { tliProposer } from "./drafters/tli.ts";
import toolspec from "./drafters/toolspec.ts";
import alignment from "./rules/alignment.ts";
import block from "./rules/block.ts";
import greedy from "./rules/greedy.ts";
import importance from "./rules/importance.ts";
import judge from "./rules/judge.ts";
import kSeq from "./rules/k-seq.ts";
import lenient from "./rules/lenient.ts";
import match from "./rules/match.ts";
import neighbour from "./rules/neighbour.ts";
import optimalTransport from "./rules/optimal-transport.ts";
import recursive from "./rules/recursive.ts";
import reflective from "./rules/reflective.ts";
import specHub from "./rules/spechub.ts";
import targetInitRule from "./rules/target-init.ts";
import token from "./rules/token.ts";
import topAndOne from "./rules/top-and-one.ts";
import traversal from "./rules/traversal.ts";
import typical from "./rules/typical.ts";
import beam from "./shapes/beam.ts";
import chain from "./shapes/chain.ts";
import delayed from "./shapes/delayed.ts";
import dynamic from "./shapes/dynamic.ts";
import dyspec from "./shapes/dyspec.ts";
import gumbel from "./shapes/gumbel.ts";
import iid from "./shapes/iid.ts";
import optTree from "./shapes/opt-tree.ts";
import sequoia from "./shapes/sequoia.ts";
import fixedTree from "./shapes/static.ts";
import targetInit from "./shapes/target-init.ts";
import topAndOneShape from "./shapes/top-and-one.ts";
import topK from "./shapes/top-k.ts";

/** In the order in which `hunch plugin list` shows them. */
export const builtin: readonly Plugin[] = [
  none,
  auto,
  lookup,
  suffix,
  recycling,
  pool,
  trigram,
  stand,
  hierarchy,
  lookahead,
  ouroboros,
  cascade,
  merge,
  model,
  superposed,
  tli,
  slrs,
  omniDraft,
  slem,
  skip,
  swift,
  clasp,
  knnSsd,
  exit,
  del,
  spine,
  graft,
  rest,
  rasd,
  dresd,
  toolspec,
  modelProposer,
  tliProposer,
  slrsProposer,
  omniDraftProposer,
  skipProposer,
  swiftProposer,
  claspProposer,
  exitProposer,
  successors,
  chain,
  fixedTree,
  topK,
  topAndOneShape,
  dynamic,
  optTree,
  gumbel,
  beam,
  dyspec,
  sequoia,
  iid,
  delayed,
  targetInit,
  greedy,
  match,
  token,
  block,
  recursive,
  kSeq,
  topAndOne,
  specHub,
  importance,
  optimalTransport,
  traversal,
  typical,
  lenient,
  alignment,
  reflective,
  neighbour,
  judge,
  targetInitRule,
  cost,
  marginal,
  fixed,
  confidence,
  draftExit,
  entropy,
  specDec,
  bandit,
  goodput,
  specKv,
];
