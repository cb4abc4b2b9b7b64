// self: a model that drafts for itself, seeing only the end of the text. There is no small model of the default model's
// vocabulary; this is a draft model as good as can be had, and as dear as its target: for tokens per pass, not for speed.
import { ModelProposer } from "../../plugins/drafters/model.ts";
import type { Proposer } from "../../src/drafter.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { definePlugin, type Plugin } from "../../src/plugins/plugin.ts";

const WINDOW = 32;

/** Sees the last 32 to 63 tokens: where its window begins moves by whole windows, so that its cache serves a while. */
function windowed(proposer: Proposer): Proposer {
  return {
    vocab: proposer.vocab,
    sync: (text, sampling) =>
      proposer.sync(text.subarray(Math.max(0, Math.floor(text.length / WINDOW) - 1) * WINDOW), sampling),
    propose: (nodes) => proposer.propose(nodes), // not closed: its engine is the target's
  };
}

const proposer = definePlugin({
  kind: "proposer",
  name: "self",
  summary: "the target itself with a smaller context says how likely tokens are",
  create: (_, __, { target }) => windowed(new ModelProposer(target)),
});

const drafter = definePlugin({
  kind: "drafter",
  name: "self",
  summary: "the target itself with a smaller context drafts",
  options: { shape: { type: "string", default: "chain", summary: "tree shape" } },
  create: async ({ shape }, _, { target, resolve }) =>
    new ProposedDrafter("self", windowed(new ModelProposer(target)), await resolve("shape", shape)),
});

export const self: readonly Plugin[] = [proposer, drafter];
