// The target drafting itself with blocks left out, on the default model: how often it is right, what a step of such a draft
// costs, and how often it would have to be right to pay.
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { breakEven } from "../../cli/simulate/forecast.ts";
import { GREEDY } from "../../src/sampling.ts";
import { Bed } from "../methods/bed.ts";
import { table } from "../report.ts";
import { count, option, type Suite } from "../suite.ts";

const PROMPTS = count("prompts", 6);
const TOKENS = count("tokens", 64);
/** Drafted tokens a round. */
const LENGTH = 3;
const DRAFTERS = [
  ...["skip", "knn-ssd", "swift", "swift?ratio=0.15", "clasp", "clasp?skipped=4", "exit", "exit?layer=29", "del"],
  ...[
    "skip?attention=12&feedForward=12",
    "skip?attention=10-13&feedForward=10-13",
    "skip?attention=8-15&feedForward=8-15",
  ],
];

const suite: Suite = {
  summary: "the target drafts itself with blocks left out: how often it is right, and how often it would have to be",
  options: { prompts: "N", tokens: "N", drafters: "LIST" },
  async run() {
    const cacheDir = join(tmpdir(), "hunch-bench-methods");
    mkdirSync(cacheDir, { recursive: true });
    const bed = await Bed.open("default", PROMPTS, { cacheDir });
    const plain = await bed.methods({ drafter: "none", rule: "greedy", controller: "fixed" });
    const made = [];
    const asked = option("drafters")?.split(";") ?? DRAFTERS;
    for (const drafter of asked) {
      const controller = `fixed?nodes=${LENGTH}`;
      made.push({ drafter, methods: await bed.methods({ drafter, rule: "greedy", controller }) });
    }
    const seen = made.map(() => ({ tokens: 0, passes: 0, drafted: 0, offered: 0, kept: 0, draftMs: 0, ms: 0 }));
    let plainMs = 0;
    for (const prompt of bed.prompts) {
      const told = (await bed.run(plain, prompt, GREEDY, TOKENS, 1))!;
      plainMs += told.stats.decodeMs;
      for (const [i, { drafter, methods }] of made.entries()) {
        const { text, stats } = (await bed.run(methods, prompt, GREEDY, TOKENS, 1))!;
        if (text !== told.text) throw new Error(`${drafter} changed a text`);
        const sum = seen[i];
        sum.tokens += stats.tokens;
        sum.passes += stats.passes;
        sum.drafted += stats.drafted;
        sum.offered += stats.offeredAt[0] ?? 0;
        sum.kept += stats.acceptedAt[0] ?? 0;
        sum.draftMs += stats.draftMs;
        sum.ms += stats.decodeMs;
      }
    }
    const pass = plainMs / seen[0].tokens;
    const rows = seen.map(({ tokens, passes, drafted, offered, kept, draftMs, ms }, i) => {
      if (drafted === 0) {
        return [`\`${asked[i]}\``, "–", (tokens / passes).toFixed(2), "–", (plainMs / ms).toFixed(2), "–"];
      }
      const step = draftMs / drafted;
      const from = breakEven(
        { acceptance: [0], draftMs: step },
        (width) => bed.engine.cost(width) * pass / bed.engine.cost(1),
        8,
      );
      return [
        `\`${asked[i]}\``,
        (kept / offered).toFixed(2),
        (tokens / passes).toFixed(2),
        (step / pass).toFixed(2),
        (plainMs / ms).toFixed(2),
        from === undefined ? "never" : from.toFixed(2),
      ];
    });
    bed.engine.close();
    return {
      report:
        `Greedy, ${PROMPTS} prompts of Spec-Bench, up to ${TOKENS} tokens, chains of ${LENGTH}; all texts those of plain ` +
        "decoding. A step is the time in the drafter for each drafted token, what it finds out on the way included. Pays from: " +
        "as often must each token be kept at that price, on the machine's cost curve.\n\n" +
        table(["drafter", "first kept", "tokens per pass", "step / plain pass", "over plain", "pays from"], rows),
    };
  },
};

export default suite;
