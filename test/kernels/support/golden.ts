// Expected scores that other people's engines computed, for the models in test/fixtures.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../../src/backend.ts";
import type { Case } from "../../../src/check/conformance/case.ts";
import { runChain } from "../../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../../src/model/open.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import { readSafetensors } from "../../../src/model/files/safetensors.ts";
import { insideAgrees } from "./inside-text.ts";
import { treeScores } from "./tree-text.ts";

export function fixture(path: string): string {
  return fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));
}

/** Opens a fixture and loads an engine for it. */
type Load = (source: ModelSource) => Promise<Engine>;

/** How much of it: a GPU in software takes long. */
export interface Extent {
  /** Each model from one of its files, of which it has one or two. */
  readonly oneFile?: boolean;
  /** One text in one pass, and the first nine tokens of it as trees. */
  readonly oneText?: boolean;
  /** An engine that the hidden states of a tree are held to, at ten times the tolerance. */
  readonly oracle?: Load;
}

/**
 * What an engine must make of the fixtures: the logits that transformers and llama2.c computed, however a text is cut
 * into passes. As trees it has the bits of the chain where the engine promises that, else logits as near as the others.
 * `tolerance`: a fraction of the largest logit.
 */
export function goldenCases(load: Load, tolerance: number, extent: Extent = {}): Case[] {
  const tiny = TINY.flatMap((name) => {
    const files = tinyFiles(name);
    return (extent.oneFile ? files.slice(-1) : files).map(({ kind, path }): Case => ({
      name: `${name} from its ${kind} agrees with transformers, in one pass, token by token and as trees`,
      run: () => agrees(path, name, load, tolerance, extent),
    }));
  });
  const stories = STORIES.slice(0, extent.oneFile ? 1 : undefined).flatMap(([name, file]) =>
    storiesCases(name, async () => load(await openModel(fixture(`stories260k/${file}`)))).map((one) => ({
      ...one,
      name: `${one.name}, from ${file}`,
    }))
  );
  return [...stories, ...tiny];
}

async function agrees(path: string, name: string, load: Load, tolerance: number, extent: Extent): Promise<void> {
  const { oneText, oracle } = extent;
  const engine = await load(await openModel(path));
  for (const text of tinyTexts(name).slice(0, oneText ? 1 : undefined)) {
    const near = (rows: readonly ArrayLike<number>[], how: string) => {
      const off = farOff(rows, { ...text, logits: text.logits.subarray(0, rows.length * engine.source.spec.vocab) });
      assert.ok(off < tolerance, `${off} off ${how}`);
    };
    const chain = async (width: number) => {
      const sequence = engine.open();
      const rows = await runChain(sequence, text.tokens, width);
      sequence.close();
      near(rows, `in passes of ${width}`);
      return rows;
    };
    const whole = await chain(text.tokens.length);
    if (!oneText) await chain(1);
    const trees = await treeScores(engine, oneText ? text.tokens.slice(0, 9) : text.tokens);
    near(trees, "as trees");
    if (engine.can.exact !== "trees") continue;
    trees.forEach((row, at) => assert.deepEqual(row, whole[at], `position ${at} as a node of a tree`));
  }
  if (oracle) {
    const other = await oracle(engine.source);
    await insideAgrees(engine, other, tinyTexts(name)[0].tokens, 10 * tolerance);
    other.close();
  }
  engine.close();
  engine.source.close();
}

/** The architectures of test/fixtures/tiny, each with transformers' logits for two texts. */
export const TINY = [
  "gemma2",
  "gemma3",
  "gpt2",
  "gpt_neox",
  "granite",
  "llama",
  "llama-rope-scaled",
  "mistral-window",
  "olmo2",
  "phi3",
  "qwen2",
  "qwen3",
  "smollm3",
  "cohere2",
  "ernie4_5",
  "exaone4",
  "gemma",
  "gemma3-images",
  "glm4",
  "gpt_oss",
  "granite4",
  "ministral3",
  "mistral-images",
  "mixtral",
  "olmo3",
  "olmoe",
  "qwen2_vl",
  "qwen3_moe",
  "qwen3_vl",
  "seed_oss",
] as const;

/** Where a tiny model lies: a Hugging Face folder, and for all but one also a GGUF file. */
export function tinyFiles(name: string): { readonly kind: string; readonly path: string }[] {
  const gguf = ["f32", "f16"].map((type) => fixture(`tiny/gguf/${name}-${type}.gguf`)).filter(existsSync);
  return [
    { kind: "Hugging Face folder", path: fixture(`tiny/${name}`) },
    ...gguf.map((path) => ({ kind: "GGUF", path })),
  ];
}

/** One text and what follows each of its tokens: [tokens · vocab]. */
export interface KnownText {
  readonly tokens: Int32Array;
  readonly logits: Float32Array;
}

export function tinyTexts(name: string): KnownText[] {
  const { file, tensors } = readSafetensors(fixture(`tiny/${name}/expected.safetensors`));
  try {
    const buffer = (key: string) => {
      const { offset, bytes } = tensors.get(key)!;
      return file.read(offset, bytes, key).slice().buffer;
    };
    const [count, length] = tensors.get("input_ids")!.shape;
    const ids = new BigInt64Array(buffer("input_ids"));
    const logits = new Float32Array(buffer("logits"));
    const vocab = logits.length / ids.length;
    return Array.from({ length: count }, (_, text) => ({
      tokens: Int32Array.from(ids.subarray(text * length, (text + 1) * length), Number),
      logits: logits.subarray(text * length * vocab, (text + 1) * length * vocab),
    }));
  } finally {
    file.close();
  }
}

/** Largest difference of any row from the known ones, as a fraction of the largest known logit. */
export function farOff(rows: readonly ArrayLike<number>[], { logits }: KnownText): number {
  const vocab = logits.length / rows.length;
  const largest = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let worst = 0;
  rows.forEach((row, at) => {
    for (let token = 0; token < vocab; token++) {
      worst = Math.max(worst, Math.abs(row[token] - logits[at * vocab + token]));
    }
  });
  return worst / largest;
}

interface StoriesGolden {
  readonly greedy_ids_from_bos: readonly number[];
  readonly logits: readonly { pos: number; logits_first8: readonly number[]; argmax: number; max: number }[];
}

/** The 260K model and the 41K draft model trained on the same stories. */
export type StoriesName = "stories260K" | "draft41K-tok512";

const STORIES: readonly (readonly [StoriesName, string])[] = [
  ["stories260K", "stories260K.bin"],
  ["stories260K", "stories260K-f32.gguf"],
  ["draft41K-tok512", "draft41K-tok512.bin"],
];

/** What an engine must make of a stories model: its golden text, however it is computed. */
export function storiesCases(name: StoriesName, load: () => Promise<Engine>, tolerance = 1e-4): Case[] {
  const all: Record<StoriesName, StoriesGolden> = JSON.parse(readFileSync(fixture("stories260k/golden.json"), "utf8"));
  const golden = all[name];
  const ids = Int32Array.from(golden.greedy_ids_from_bos);
  const texts = ids.subarray(0, -1);
  let engine: Promise<Engine>;
  const withSequence = async <T>(use: (sequence: ReturnType<Engine["open"]>) => Promise<T>) => {
    const sequence = (await (engine ??= load())).open();
    try {
      return await use(sequence);
    } finally {
      sequence.close();
    }
  };
  return [
    {
      name: `${name} in passes as wide as can be has the golden logits and tokens`,
      run: () =>
        withSequence(async (sequence) => {
          const rows = await runChain(sequence, texts, Math.min(texts.length, (await engine).maxRows));
          for (const { pos, logits_first8, argmax, max } of golden.logits) {
            logits_first8.forEach((logit, token) => {
              // The file has five decimals.
              assert.ok(
                Math.abs(rows[pos][token] - logit) <= tolerance * max + 5e-6,
                `position ${pos}, token ${token}`,
              );
            });
            assert.ok(Math.abs(rows[pos][argmax] - max) <= tolerance * max + 5e-6, `position ${pos}, the best`);
          }
          assert.deepEqual(rows.map((row) => row.indexOf(Math.max(...row))), [...ids.subarray(1)]);
        }),
    },
    {
      name: `${name} token by token writes the golden text`,
      run: () =>
        withSequence(async (sequence) => {
          const written = [ids[0]];
          while (written.length < ids.length) {
            const scores = await sequence.forward({ tokens: Int32Array.of(written[written.length - 1]) });
            written.push(scores.argmax(0));
            sequence.keep(Int32Array.of(0));
          }
          assert.deepEqual(written, [...ids]);
        }),
    },
    {
      name: `${name} through trees writes the golden text`,
      run: () =>
        withSequence(async (sequence) => {
          const written = [ids[0]];
          while (written.length < ids.length) {
            // Under the last token, two wrong guesses around a right one, and below it the same again.
            const at = written.length;
            const guess = (depth: number) => [7, ids[Math.min(at + depth, ids.length - 1)], 11];
            const tokens = Int32Array.of(written[at - 1], ...guess(0), ...guess(1), ...guess(2));
            const parents = Int32Array.of(-1, 0, 0, 0, 2, 2, 2, 5, 5, 5);
            const scores = await sequence.forward({ tokens, parents });
            const path = [0];
            for (let node: number | undefined = 0; node !== undefined && written.length < ids.length;) {
              const best = scores.argmax(node);
              written.push(best);
              const below = node;
              const next = parents.findIndex((parent, child) => parent === below && tokens[child] === best);
              node = next < 0 || written.length === ids.length ? undefined : next;
              if (node !== undefined) path.push(node);
            }
            sequence.keep(Int32Array.from(path));
          }
          assert.deepEqual(written, [...ids]);
        }),
    },
  ];
}
