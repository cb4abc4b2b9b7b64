// Any drafter, rule and controller on the same prompts: tokens and rows per pass, milliseconds, whether the text is that
// of plain decoding; for relaxed rules how far it is from it.
//
//   npm run bench -- methods                 rules, controllers and drafters, on the default model and on stories260K
//   npm run bench -- methods --quick         the same on two prompts each
//   npm run bench -- methods --model=stories --rule=block --rule=token --drafter='DRAFT?shape=chain' --controller=cost
//
// Options, each as often as wanted: --drafter, --rule, --controller (specs; DRAFT is what drafts for the model: itself
// with a smaller context, or stories260K's small model), every one with every other; --model=default or stories; and
// --prompts, --tokens, --temperature, --top-k.
import type { Completion } from "../../src/round/generate.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { Bed, type BedName, type Methods, type Setting } from "../methods/bed.ts";
import { distances, foreignShare, meanLikelihood } from "../methods/distance.ts";
import { CONTROLLERS, DRAFTERS, JUDGED, PAIRS } from "../methods/settings.ts";
import { ratios, show, spread, table } from "../report.ts";
import { count, flag, option, options, type Suite } from "../suite.ts";

const KINDS = ["drafter", "rule", "controller"] as const;
const QUICK = flag("quick");
const PROMPTS = count("prompts", QUICK ? 2 : 6);
const TOKENS: Readonly<Record<BedName, number>> = { default: count("tokens", 48), stories: count("tokens", 96) };
/** Few tokens, so that `optimal-transport` can be solved. */
const SAMPLED: Sampling = { ...GREEDY, temperature: Number(option("temperature") ?? 0.8), topK: count("top-k", 10) };

/** What a setting made of every prompt; undefined where it does not go with the sampling. */
type Runs = readonly (Completion | undefined)[];

const suite: Suite = {
  summary: "Any drafter × rule × controller: tokens and rows per pass, ms, same text; relaxed rules' distances",
  options: {
    ...{ model: "NAME", drafter: "SPEC", rule: "SPEC", controller: "SPEC" },
    ...{ prompts: "N", tokens: "N", temperature: "T", "top-k": "K", quick: "" },
  },
  async run() {
    const chosen = KINDS.some((kind) => options(kind).length > 0);
    const models = options("model").length > 0 ? options("model") as BedName[] : ["default", "stories"] as const;
    const report: string[] = [];
    const tell = (...parts: string[]) => report.push(...parts);
    for (const name of models) {
      const bed = await Bed.open(name, PROMPTS);
      tell(`### ${name === "default" ? "The default model" : "stories260K"}`);
      tell(`Prompts: ${PROMPTS}, of up to ${TOKENS[name]} tokens. DRAFT: ${DRAFT_IS[name]}.`);
      if (chosen) {
        tell("#### As asked for", await compared(bed, product(), SAMPLED));
        continue;
      }
      tell(
        `#### Rules, at temperature ${SAMPLED.temperature}, top-k ${SAMPLED.topK}`,
        await compared(bed, PAIRS, SAMPLED),
      );
      tell("#### Relaxed rules: how far from the target", await relaxed(bed));
      for (const drafter of ["DRAFT", "lookup"]) {
        const settings = CONTROLLERS.map((controller) => ({ drafter, rule: "greedy", controller }));
        tell(`#### Controllers, greedy, drafter \`${drafter}\``, await compared(bed, settings, GREEDY));
      }
      tell("#### Drafters, greedy", await compared(bed, DRAFTERS, GREEDY));
    }
    return { report: report.join("\n\n") };
  },
};

export default suite;

const DRAFT_IS: Readonly<Record<BedName, string>> = {
  default: "the model itself, which sees the last 32 to 63 tokens only (`self`)",
  stories: "its small model of 41,000 parameters",
};

/** Every drafter with every rule and controller that was asked for. */
function product(): Setting[] {
  const or = (kind: string, standard: string) => options(kind).length > 0 ? options(kind) : [standard];
  return or("drafter", "DRAFT").flatMap((drafter) =>
    or("rule", SAMPLED.temperature > 0 ? "match" : "greedy").flatMap((rule) =>
      or("controller", "fixed?nodes=6&depth=3").map((controller) => ({ drafter, rule, controller }))
    )
  );
}

/** A table of settings that take turns with plain decoding, prompt by prompt. */
async function compared(bed: Bed, settings: readonly Setting[], sampling: Sampling): Promise<string> {
  const plain: Setting = {
    drafter: "none",
    rule: sampling.temperature > 0 ? "match" : "greedy",
    controller: "fixed?nodes=0",
  };
  const methods = await Promise.all([plain, ...settings].map((setting) => bed.methods(setting)));
  const drawn = await turns(bed, methods, sampling);
  const greedy = sampling.temperature > 0 ? await turns(bed, methods, GREEDY) : drawn;
  const ms = (runs: Runs) => runs.flatMap((run) => run === undefined ? [] : [run.stats.decodeMs / run.stats.tokens]);
  const columns = KINDS.filter((kind) => settings.length === 1 || new Set(settings.map((of) => of[kind])).size > 1);
  const rows = methods.map(({ setting, rule }, i) => {
    const done = drawn[i].flatMap((run) => run ?? []);
    const sum = (of: "tokens" | "passes" | "rows") => done.reduce((total, { stats }) => total + stats[of], 0);
    return [
      ...columns.map((kind) => code(setting[kind]) + (kind === "rule" && !rule.lossless ? ", relaxed" : "")),
      (sum("tokens") / sum("passes")).toFixed(2),
      (sum("rows") / sum("passes")).toFixed(1),
      show(spread(ms(drawn[i]))),
      i === 0 ? "" : show(spread(ratios(ms(drawn[i]), ms(drawn[0])))),
      same(greedy[i], greedy[0]),
      ...sampling.temperature > 0 ? [rule.independent ? same(drawn[i], drawn[0]) : "–"] : [],
    ];
  });
  const head = [...columns, "tokens per pass", "rows per pass", "ms per token", "of plain"];
  const texts = sampling.temperature > 0 ? ["same text at temperature 0", "same text for the seed"] : ["same text"];
  const others = KINDS.filter((kind) => !columns.includes(kind)).map((kind) => `${kind} ${code(settings[0][kind])}`);
  const caption = others.length === 0 ? "" : `All but the first: ${others.join(", ")}.\n\n`;
  return caption + table([...head, ...texts], rows);
}

/** [setting][prompt]; who goes first changes from prompt to prompt. */
async function turns(bed: Bed, methods: readonly Methods[], sampling: Sampling): Promise<Runs[]> {
  const runs: (Completion | undefined)[][] = methods.map(() => []);
  for (const [seed, prompt] of bed.prompts.entries()) {
    for (let turn = 0; turn < methods.length; turn++) {
      const at = (turn + 3 * seed) % methods.length;
      console.error(`${bed.name} ${seed + 1}/${bed.prompts.length}: ${Object.values(methods[at].setting).join(" ")}`);
      runs[at][seed] = await bed.run(methods[at], prompt, sampling, TOKENS[bed.name], seed);
    }
  }
  return runs;
}

function same(runs: Runs, plain: Runs): string {
  if (runs.some((run) => run === undefined)) return "–";
  const count = runs.filter((run, i) => run!.tokens.join() === plain[i]!.tokens.join()).length;
  return `${count} of ${runs.length}`;
}

/** The relaxed rules among the pairs, with their distances. */
async function relaxed(bed: Bed): Promise<string> {
  const rows: string[][] = [];
  const plain = await bed.methods({ drafter: "none", rule: "greedy", controller: "fixed?nodes=0" });
  const [own] = await turns(bed, [plain], GREEDY);
  for (const setting of bed.name === "default" ? [...PAIRS, JUDGED] : PAIRS) {
    const methods = await bed.methods(setting);
    if (methods.rule.lossless) continue;
    const shares = [];
    for (const sampling of [GREEDY, SAMPLED]) {
      const [runs] = await turns(bed, [methods], sampling);
      const told = runs.includes(undefined) ? undefined : runs as Completion[];
      shares.push(told === undefined ? "–" : percent(await foreignShare(bed, told, sampling)));
      if (sampling === GREEDY) shares.push(told === undefined ? "–" : (await meanLikelihood(bed, told)).toFixed(2));
    }
    const places = await distances(bed, methods.rule, SAMPLED, TOKENS[bed.name]);
    const of = (what: "totalVariation" | "divergence") => mean(places.map((place) => place[what]));
    rows.push([code(setting.rule), ...shares, of("totalVariation"), of("divergence"), String(places.length)]);
  }
  const at = `temperature ${SAMPLED.temperature}, top-k ${SAMPLED.topK}`;
  return "Tokens that differ: at temperature 0 those that are not the target's likeliest after the text before them, " +
    `else those that its sampling leaves out. Total variation and KL(rule ‖ target), in nats, of one token at ${at}: ` +
    "exact at each place, over all drafts of one token from DRAFT and all chance of the rule; means, and the greatest. " +
    `ln p: of a token of the text at temperature 0, by the target; plain decoding has ` +
    `${(await meanLikelihood(bed, own as Completion[])).toFixed(2)}. \`judge\` has a judge of the default model.\n\n` +
    table(["rule", "differ at temperature 0", "ln p", `differ at ${at}`, "total variation", "KL", "places"], rows);
}

/** The mean with the greatest. KL is infinite where the rule says what the target would not. */
function mean(values: readonly number[]): string {
  if (values.length === 0) return "too many branches";
  const finite = values.filter(Number.isFinite);
  const infinite = values.length - finite.length;
  const told = finite.length === 0 ? [] : [
    `${(finite.reduce((a, b) => a + b) / finite.length).toFixed(3)} (${Math.max(...finite).toFixed(3)})`,
  ];
  return [...told, ...infinite > 0 ? [`∞ at ${infinite}`] : []].join(" · ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function code(spec: string): string {
  return `\`${spec}\``;
}
