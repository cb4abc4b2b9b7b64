// Is it the same text? Every drafter and every shape, greedy and by seed, against plain decoding, token for token, on ONNX
// Runtime. Counts no time: a busy machine changes nothing.
//
//   npm run bench -- equal                                       200 beginnings of stories, stories260K
//   npm run bench -- equal --model=default --format=int8 --prompts=8 --tokens=48
//   npm run bench -- equal --drafters='auto,(merge:lookup,recycling)'
import { Session } from "../../cli/engine/session.ts";
import { promptOf } from "../../cli/input/prompt.ts";
import { builtin } from "../../plugins/builtin.ts";
import { splitOutside, unwrap } from "../../src/plugins/method-spec.ts";
import { GREEDY } from "../../src/sampling.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { table } from "../report.ts";
import { DEFAULT_MODEL, STORIES } from "../setup.ts";
import { option, type Suite } from "../suite.ts";
import { workloads } from "../workloads.ts";

const DRAFT = `${STORIES}draft41K-tok512.bin`;
const OTHER_VOCABULARY = `${STORIES}draft41K-tok495-f16.gguf`;
/** A controller that drafts trees in every round, so that there is something to go wrong. */
const ALWAYS = "fixed?nodes=12&depth=5";
const SAMPLED = { ...GREEDY, temperature: 0.8 };

const WITHOUT_MODEL = [
  ...["lookup", "lookup?branches=3", "suffix", "recycling", "pool?size=2", "trigram", "stand", "lookahead", "toolspec"],
  ...["hierarchy?length=2&last=recycling", "cascade:lookup,recycling", "merge:lookup,recycling,suffix", "auto"],
  ...["spine:recycling", "spine:successors", "graft:trigram", "graft:successors"],
];
/** Shapes that need a file or a rule of their own are left out. */
const SHAPES = builtin.filter(({ kind, name }) => kind === "shape" && name !== "static" && name !== "target-init");
const WITH_MODEL = [
  ...SHAPES.map(({ name }) => `model:${DRAFT}?shape=${name}`),
  ...["tli", "slrs", "omnidraft", "slem"].map((bridge) => `${bridge}:${OTHER_VOCABULARY}`),
  ...[`ouroboros:model:${DRAFT}`, `cascade:lookup,suffix?reviewer=(model:${DRAFT})`, `graft:model:${DRAFT}`],
];

const suite: Suite = {
  summary: "Every drafter and shape beside plain decoding, greedy and by seed: is it the same text?",
  async run() {
    const stories = option("model") !== "default";
    const [count, most] = [Number(option("prompts") ?? (stories ? 200 : 8)), Number(option("tokens") ?? 32)];
    const given = option("drafters");
    const names = given ? splitOutside(given, ",").map(unwrap) : [...WITHOUT_MODEL, ...stories ? WITH_MODEL : []];
    const session = await Session.open({
      model: stories ? `${STORIES}stories260K.bin` : DEFAULT_MODEL,
      backend: "onnx",
      format: (option("format") ?? "auto") as WeightFormat | "auto",
      strict: true,
      context: stories ? 512 : 2048,
      threads: 1,
      drafter: "none",
      rule: undefined,
      controller: undefined,
      plugins: [],
      overflow: "refuse",
    }, () => {});
    const kinds = Object.values(await workloads(Math.ceil(count / 7)));
    const texts = stories ? beginnings(kinds.flat(), count) : kinds.flat().slice(0, count);
    const prompts = texts.map((text) => promptOf(session.source, text, { raw: stories, system: undefined }));
    const answer = async (drafter: string, at: number, sampled: boolean) => {
      const { tokens, stats } = await session.answer({
        prompt: prompts[at],
        sampling: sampled ? SAMPLED : GREEDY,
        seed: String(at),
        maxTokens: most,
        stop: [],
        drafter,
        ...(drafter !== "none" && { controller: ALWAYS }),
      }, () => {});
      return { tokens: tokens.join(" "), stats };
    };
    const rows: string[][] = [];
    for (const sampled of [false, true]) {
      const plain: string[] = [];
      for (let at = 0; at < prompts.length; at++) plain.push((await answer("none", at, sampled)).tokens);
      for (const name of names) {
        let [same, tokens, passes, drafted] = [0, 0, 0, 0];
        for (let at = 0; at < prompts.length; at++) {
          const { tokens: told, stats } = await answer(name, at, sampled);
          if (told === plain[at]) same++;
          tokens += stats.tokens;
          passes += stats.passes;
          drafted += stats.rows;
        }
        const shown = name.replaceAll(STORIES, "");
        const per = (sum: number) => (sum / passes).toFixed(2);
        rows.push([shown, sampled ? "seed" : "greedy", `${same} of ${prompts.length}`, per(tokens), per(drafted)]);
        console.error(rows[rows.length - 1].join("  "));
      }
    }
    const different = rows.filter(([, , same]) => same !== `${prompts.length} of ${prompts.length}`).length;
    return {
      report: `${session.source.title}, weights ${session.engine.format}, ${prompts.length} prompts of up to ${most} ` +
        `tokens, ${ALWAYS}. ${different === 0 ? "No text differs." : `${different} ROWS DIFFER.`}\n\n` +
        table(["drafter", "how", "same text", "tokens per pass", "rows per pass"], rows),
    };
  },
};

export default suite;

/** The first words of so many texts, a different number of each. */
function beginnings(texts: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const words = texts[at % texts.length].split(/\s+/).filter(Boolean);
    return words.slice(0, 1 + at % 12).join(" ");
  });
}
