// dresd: what it retrieves, against comparing everything with everything; and beside plain decoding.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { referenceBackend } from "../../../kernels/reference/backend.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { DresdDrafter } from "../../../plugins/drafters/dresd.ts";
import { match } from "../../../plugins/rules/match.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { traversal } from "../../../plugins/rules/traversal.ts";
import { FEW_KINDS, proveDrafter } from "../../../src/check/drafters.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { SeededChance } from "../../../src/chance.ts";
import { Random } from "../../../src/check/generate-cases.ts";
import { readPlaces, writePlaces } from "../../../src/draft/kept-places.ts";
import { dot, unit } from "../../../src/draft/reduction.ts";
import { openModel } from "../../../src/model/open.ts";
import { complete } from "../../../src/round/generate.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { contextOf, storyEngine } from "../../support/inside.ts";
import { optionsOf } from "../../support/options.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { paths, saying } from "../../support/rounds.ts";

const WIDTH = 4;
const OPTIONS = { dimensions: 3, neighbours: 3, least: -1, tokens: 10 };

/** A text with the state after each token but the last. */
interface Text {
  readonly tokens: readonly number[];
  readonly states: readonly Float32Array[];
}

function textOf(random: Random, length: number, vocab: number): Text {
  return {
    tokens: Array.from({ length }, () => random.integer(vocab)),
    states: Array.from({ length: length - 1 }, () => Float32Array.from({ length: WIDTH }, () => random.normal())),
  };
}

/** Tells a drafter of a text: half of it as the prompt, in two pieces, the rest token by token. */
function tell(drafter: DresdDrafter, { tokens, states }: Text): void {
  const half = Math.ceil(tokens.length / 2);
  const rows = (from: number, to: number) => new Map([["head" as const, joined(states.slice(from, to))]]);
  drafter.begin(Int32Array.from(tokens.slice(0, half)));
  const cut = half >> 1;
  if (cut > 0) drafter.observePrompt(0, [], rows(0, cut));
  if (half - 1 > cut) drafter.observePrompt(cut, [], rows(cut, half - 1));
  for (let at = half; at < tokens.length; at++) {
    drafter.observe({ ...saying([tokens[at]]), states: rows(at - 1, at) });
  }
}

function joined(states: readonly Float32Array[]): Float32Array {
  return Float32Array.from(states.flatMap((state) => [...state]));
}

/** Paths with how likely each is, by looking at every place of every text. */
function retrieved(texts: readonly Text[], depth: number): Map<string, number> {
  const last = texts[texts.length - 1];
  const root = last.tokens[last.tokens.length - 1];
  const query = unit(last.states[last.states.length - 1]);
  const found = texts.flatMap(({ tokens, states }, t) =>
    states.flatMap((state, at) => {
      const itself = t === texts.length - 1 && at === states.length - 1;
      const known = tokens.length - 1; // the last token has no state yet
      if (itself || tokens[at + 1] !== root || at + 1 >= known) return [];
      return [{ near: dot(query, unit(state)), next: tokens.slice(at + 2, known) }];
    })
  ).sort((a, b) => b.near - a.near).slice(0, OPTIONS.neighbours);
  const out = new Map<string, number>();
  const share = (among: typeof found, path: number[], above: number) => {
    if (path.length === depth) return;
    const weight = (list: typeof found) =>
      list.reduce((sum, { near }) => sum + Math.exp((near - found[0].near) / 0.05), 0);
    for (const token of new Set(among.flatMap(({ next }) => next.slice(path.length, path.length + 1)))) {
      const below = among.filter(({ next }) => next[path.length] === token);
      const likely = above * weight(below) / weight(among);
      out.set([...path, token].join(" "), likely);
      share(below, [...path, token], likely);
    }
  };
  share(found, [], 1);
  return out;
}

test("the likeliest continuations of the nearest places are drafted, whatever text they are of", () => {
  const random = new Random(new SeededChance(5));
  let nodes = 0;
  for (let round = 0; round < 200; round++) {
    const texts = Array.from({ length: 1 + random.integer(3) }, () => textOf(random, 3 + random.integer(9), 3));
    const drafter = new DresdDrafter(WIDTH, OPTIONS);
    for (const text of texts) tell(drafter, text);
    const wanted = retrieved(texts, 3);
    const tree = drafter.draft({ nodes: 5, depth: 3 });
    const drafted = paths(tree).map((path) => wanted.get(path.join(" ")) ?? NaN);
    const best = [...wanted.values()].sort((a, b) => b - a).slice(0, 5);
    assert.equal(drafted.length, best.length);
    drafted.forEach((likely, node) => assert.ok(Math.abs(likely - best[node]) < 1e-4, `${drafted} and ${best}`));
    nodes += drafted.length;
  }
  assert.ok(nodes > 300);
});

test("a text that comes again is found by its states once these are reduced, and the oldest places give way", () => {
  const random = new Random(new SeededChance(6));
  const drafter = new DresdDrafter(WIDTH, { ...OPTIONS, least: 0.9, neighbours: 1 }, 2000);
  const first = textOf(random, 600, 40);
  tell(drafter, first);
  const again = (length: number): string => {
    tell(drafter, { tokens: first.tokens.slice(0, length), states: first.states.slice(0, length - 1) });
    return [...drafter.draft({ nodes: 4, depth: 4 }).tokens].join();
  };
  for (const length of [10, 100, 500]) assert.equal(again(length), first.tokens.slice(length, length + 4).join());
  tell(drafter, textOf(random, 2100, 40));
  assert.notEqual(again(50), first.tokens.slice(50, 54).join());
});

test("states are reduced while a long prompt is read: it does not hold all of them whole", () => {
  const { tokens, states } = textOf(new Random(new SeededChance(7)), 900, 2);
  // Of one number, half of all keys are the same; whole states of random numbers are not.
  const drafter = new DresdDrafter(WIDTH, { ...OPTIONS, dimensions: 1, least: 0.999999 });
  drafter.begin(Int32Array.from(tokens));
  for (let from = 0; from < states.length; from += 64) {
    drafter.observePrompt(from, [], new Map([["head", joined(states.slice(from, from + 64))]]));
  }
  assert.ok(drafter.draft({ nodes: 2, depth: 2 }).tokens.length > 0);
});

test("places last from run to run in a file, before and after the fit; another model's or a damaged one is refused", async () => {
  const random = new Random(new SeededChance(9));
  const folder = temporaryFolder();
  const whose = { model: "a", title: "A", width: WIDTH };
  for (const length of [60, 600]) {
    const file = join(folder, `${length}.states`);
    const text = textOf(random, length, 40);
    const first = new DresdDrafter(WIDTH, { ...OPTIONS, neighbours: 1 }, 1000);
    tell(first, text);
    assert.equal(readPlaces(file, whose), undefined);
    writePlaces(file, whose, first.kept());
    assert.equal(statSync(file).mode & 0o077, process.platform === "win32" ? statSync(file).mode & 0o077 : 0);
    const second = new DresdDrafter(WIDTH, { ...OPTIONS, neighbours: 1 }, 1000);
    second.restore(readPlaces(file, whose)!);
    assert.deepEqual(second.kept(), first.kept());
    tell(second, { tokens: text.tokens.slice(0, 30), states: text.states.slice(0, 29) });
    assert.equal([...second.draft({ nodes: 4, depth: 4 }).tokens].join(), text.tokens.slice(30, 34).join());
    assert.throws(() => readPlaces(file, { ...whose, model: "b", title: "B" }), /hidden states of A, not of B/);
    const bytes = readFileSync(file);
    bytes[bytes.length - 5] ^= 1;
    writeFileSync(file, bytes);
    assert.throws(() => readPlaces(file, whose), /damaged/);
    for (const broken of ["", "x".repeat(100), bytes.subarray(0, 30)]) {
      writeFileSync(file, broken);
      assert.throws(() => readPlaces(file, whose), /no file of hidden states/);
    }
  }
});

test("a file that cannot be written is refused before the run, and nothing is left there", async () => {
  const folder = temporaryFolder();
  const engine = await storyEngine();
  const open = (file: string) => contextOf(engine, [], folder).resolve("drafter", `dresd:${file}`);
  await assert.rejects(open(folder), { kind: "usage", message: "this cannot be written: this is a folder" });
  await assert.rejects(open(join(folder, "none", "x")), { message: "this cannot be written: there is no such folder" });
  await open(join(folder, "x.states"));
  assert.deepEqual(readdirSync(folder).filter((name) => name.includes("x.states")), []);
  engine.close();
});

test("rules that are lossless keep the target's distribution with its drafts", async () => {
  const reports = await proveDrafter(
    ({ source }) => Promise.resolve(new DresdDrafter(source.spec.width, OPTIONS)),
    [recursive, traversal],
    { kinds: FEW_KINDS, plan: { nodes: 3, depth: 2 } },
  );
  assert.equal(reports.length, 2);
  for (const { rule, cases, worst, accepted } of reports) {
    assert.ok(cases > 20 && worst <= EXACT && accepted > 0.2, `${rule}: ${cases} cases, ${worst}, ${accepted}`);
  }
});

test("greedy and by seed the text is that of plain decoding, in text after text, and drafts stand", async () => {
  const engine = await referenceBackend.load(await openModel(fixture("stories260k/stories260K-f32.gguf")), {
    format: "float32",
    strict: true,
    cacheDir: "",
  });
  const drafter = new DresdDrafter(engine.source.spec.width, { ...OPTIONS, dimensions: 16, least: 0.3 });
  let accepted = 0;
  for (const beginning of ["Once upon a time", "Once upon a day"]) {
    for (const given of [{}, { sampling: { temperature: 0.8 }, rule: match }]) {
      const prompt = engine.source.tokenizer.encode(beginning, { begin: true });
      const asked = () => optionsOf({ engine, prompt, maxTokens: 40, ...given });
      const plain = await complete(asked());
      const { tokens, stats } = await complete({ ...asked(), drafter, controller: fixed(9, 4) });
      assert.deepEqual(tokens, plain.tokens);
      accepted += stats.accepted;
    }
  }
  assert.ok(accepted > 30, `${accepted} accepted`);
  engine.close();
});
