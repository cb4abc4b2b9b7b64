// The controller `cost` against plain decoding and against the best fixed draft length, which it cannot know: seven kinds
// of work, greedy, with prompt lookup. All settings take turns on one engine in one process.
//
//   npm run bench -- controllers             six prompts of each kind, half an hour
//   npm run bench -- controllers --quick     two of each, about six minutes
//   npm run bench -- controllers --prompts=1 --only=translation
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openCache } from "../../cli/cache/cache.ts";
import { chatPrompt } from "../../cli/input/prompt.ts";
import { Session } from "../../cli/engine/session.ts";
import { CostController } from "../../plugins/controllers/cost.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { LookupDrafter } from "../../plugins/drafters/lookup.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { SeededChance } from "../../src/chance.ts";
import type { Controller } from "../../src/controller.ts";
import { complete, type Completion } from "../../src/round/generate.ts";
import { GREEDY } from "../../src/sampling.ts";
import { ratios, show, spread, table } from "../report.ts";
import { count, flag, option, type Suite } from "../suite.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";
import { workloads } from "../workloads.ts";

const MAX_TOKENS = 256;
const CONTEXT = 4096;
const LENGTHS = [1, 2, 3, 5, 8];
/** Promised: at most so much slower than plain decoding, and than the best length, in so many kinds of seven. */
const OVER_PLAIN = 0.97;
const OVER_BEST = 0.95;

/** A new controller for each text: none learns from another's. */
const SETTINGS: readonly (readonly [name: string, make: () => Controller])[] = [
  ["plain", () => fixed(0)],
  ["cost", () => new CostController(24)],
  ...LENGTHS.map((length) => [`fixed ${length}`, () => fixed(length)] as const),
];

const suite: Suite = {
  summary: "`cost` with lookup against plain decoding and the best of fixed lengths, on seven kinds of work",
  options: { prompts: "N", only: "KIND", quick: "" },
  async run() {
    // Measured anew: a curve kept from a busy minute is not what is to be tested.
    rmSync(join(openCache(), "calibrations"), { recursive: true, force: true });
    const session = await Session.open({
      model: DEFAULT_MODEL,
      backend: "onnx",
      format: "auto",
      strict: true,
      context: CONTEXT,
      threads: THREADS,
      drafter: "lookup",
      rule: undefined,
      controller: undefined,
      plugins: [],
      overflow: "refuse",
    }, () => {});
    const { engine, source } = session;
    await engine.calibrate();
    const curve = Float64Array.from({ length: 65 }, (_, width) => engine.cost(width));
    const sequence = engine.open();
    let cached: Int32Array = new Int32Array(0);
    const answer = async (prompt: Int32Array, controller: Controller, see: (rows: number) => void) => {
      const completion = await complete({
        engine,
        prompt,
        drafter: new LookupDrafter(8, 1),
        rule: greedy,
        controller: {
          name: controller.name,
          plan: (state) => controller.plan(state),
          observe(round) {
            see(round.rows);
            controller.observe(round);
          },
        },
        sampling: GREEDY,
        chance: new SeededChance(0),
        maxTokens: MAX_TOKENS,
        sequence,
        committed: cached,
      });
      cached = completion.cached;
      return completion;
    };

    const count = promptCount();
    const rows: string[][] = [];
    let kept = 0;
    for (const [kind, texts] of Object.entries(await workloads(count))) {
      if (!kind.startsWith(option("only") ?? "")) continue;
      const rates = SETTINGS.map(() => [] as number[]);
      const times = SETTINGS.map(() => 0);
      const expected = SETTINGS.map(() => 0);
      const perPass: number[] = [];
      let [tokens, same, plainRounds] = [0, 0, 0];
      for (const [i, text] of texts.entries()) {
        const { tokens: prompt } = chatPrompt(source, [{ role: "user", content: text }]);
        const done: Completion[] = [];
        for (let k = 0; k < SETTINGS.length; k++) { // who goes first changes from prompt to prompt
          const at = (k + 3 * i) % SETTINGS.length;
          const controller = SETTINGS[at][1]();
          done[at] = await answer(prompt, controller, (rows) => expected[at] += curve[rows]);
        }
        if (done.every((other) => other.text === done[0].text)) same++;
        done.forEach(({ stats }, at) => {
          times[at] += stats.decodeMs;
          rates[at].push(1000 * stats.tokens / stats.decodeMs);
        });
        tokens += done[0].stats.tokens;
        perPass.push(done[1].stats.tokens / done[1].stats.passes);
        plainRounds += done[1].stats.plainRounds;
      }
      const best = times.indexOf(Math.min(...times.slice(2)), 2);
      const bestExpected = Math.min(...expected.slice(2));
      const [overPlain, overBest] = [times[0] / times[1], times[best] / times[1]];
      if (overPlain >= OVER_PLAIN && overBest >= OVER_BEST) kept++;
      rows.push([
        kind,
        `${same} of ${texts.length}`,
        String(tokens),
        show(spread(perPass)),
        show(spread(rates[0]), 1),
        `${overPlain.toFixed(2)} · ${show(spread(ratios(rates[1], rates[0])))}`,
        SETTINGS[best][0].replace("fixed ", ""),
        `${(times[0] / times[best]).toFixed(2)}`,
        `${overBest.toFixed(2)} · ${show(spread(ratios(rates[1], rates[best])))}`,
        `${(expected[0] / expected[1]).toFixed(2)} · ${(bestExpected / expected[1]).toFixed(2)}`,
        String(plainRounds),
      ]);
    }
    sequence.close();
    session.close();
    const head = [
      "work",
      "same text in all settings",
      "tokens",
      "tokens per pass",
      "plain, tokens/s",
      "cost / plain",
      "best length",
      "best length / plain",
      "cost / best length",
      "by the cost curve: cost / plain · cost / best",
      "plain rounds of cost",
    ];
    const how =
      `Up to ${MAX_TOKENS} tokens of ${count} ${
        count === 1 ? "prompt" : "prompts"
      } each, weights ${engine.format}, without prefill. Ratios of ` +
      `all tokens to all time; after · the median of the prompts and their middle half. By the cost curve: the same passes as they were measured beforehand, without the noise of ` +
      `the run. Lengths tried: ` +
      `${
        LENGTHS.join(", ")
      }.\n\n${kept} of ${rows.length} kinds of work are at least ${OVER_PLAIN} of plain decoding ` +
      `and ${OVER_BEST} of the best length.`;
    return { report: `${how}\n\n${table(head, rows)}` };
  },
};

export default suite;

function promptCount(): number {
  return count("prompts", flag("quick") ? 2 : 6);
}
