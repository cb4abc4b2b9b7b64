// A real model that tells stories, and a smaller one that drafts for it in tokens of its own: the same text to the last byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { omniDraftOf } from "../../plugins/drafters/omnidraft.ts";
import { SlemDrafter } from "../../plugins/drafters/slem.ts";
import { slrsOf } from "../../plugins/drafters/slrs.ts";
import { TliProposer } from "../../plugins/drafters/tli.ts";
import { match } from "../../plugins/rules/match.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import type { Engine } from "../../src/backend.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import type { Drafter } from "../../src/drafter.ts";
import { openModel } from "../../src/model/open.ts";
import { complete } from "../../src/round/generate.ts";
import { temporaryFolder } from "../support/folder.ts";
import { fixture } from "../kernels/support/golden.ts";
import { optionsOf } from "../support/options.ts";

const cacheDir = temporaryFolder();
const load = async (file: string) =>
  await onnxBackend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    threads: 1,
    cacheDir,
  });
const engine = await load("stories260K.bin");
/** Engines end with the drafters that use them. */
const draft = async () => await load("draft41K-tok495-f16.gguf");
const DRAFTERS: Readonly<Record<string, (draft: Engine) => Drafter>> = {
  tli: (draft) => new ProposedDrafter("tli", new TliProposer(engine, draft), chain),
  slrs: (draft) => new ProposedDrafter("slrs", slrsOf(engine, draft, { rows: 4, least: 0.02 }), chain),
  omnidraft: (draft) =>
    new ProposedDrafter("omnidraft", omniDraftOf(engine, draft, 1000, { rows: 4, least: 0.02 }), chain),
  slem: (draft) => new SlemDrafter(engine, draft),
};

const PROMPTS = [
  "Lily",
  "Tom was very",
  "A big dog liked to play with a friend.",
  "One day, Ben saw a red ball. ", // a space at the end
  "Once upon",
  "“Hi,” said the caf", // characters that are bytes in both
  "Tim 😀 and 日",
  "She said: \n",
  "Look 😀",
];

const SETTINGS = [
  {},
  { sampling: { repetitionPenalty: 1.3 } },
  { rule: match, sampling: { temperature: 0.8, topP: 0.9, repetitionPenalty: 1.2 } },
  { rule: match, sampling: { temperature: 1.2 } },
];

/** Tokens after every prompt under every setting, and how many were drafted. */
async function tell(drafter?: Drafter) {
  const told: string[] = [];
  let accepted = 0;
  for (const given of SETTINGS) {
    for (const [seed, text] of PROMPTS.entries()) {
      const whole = engine.source.tokenizer.encode(text, { begin: true });
      const prompt = text.endsWith("😀") ? whole.subarray(0, whole.length - 2) : whole; // half a character
      const options = {
        engine,
        prompt,
        seed,
        maxTokens: 12,
        controller: fixed(4),
        ...drafter && { drafter },
        ...given,
      };
      const { tokens, stats } = await complete(optionsOf(options));
      told.push(`${text} ${JSON.stringify(given)}: ${tokens.join()}`);
      accepted += stats.accepted;
    }
  }
  return { told, accepted };
}

const plain = await tell();

for (const [name, make] of Object.entries(DRAFTERS)) {
  test(`${name} changes no byte, greedy and drawn, with penalties and truncation, and keeps drafts`, async () => {
    const drafter = make(await draft());
    const { told, accepted } = await tell(drafter);
    assert.deepEqual(told, plain.told);
    assert.ok(accepted > 60, `${accepted} accepted`);
    drafter.close?.();
  });
}
