// Expected scores that other people's engines computed, for the models in test/fixtures.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../../src/backend.ts";
import type { Case } from "../../../src/check/conformance/case.ts";
import { runChain } from "../../../src/check/conformance/engine-bench.ts";
import { readSafetensors } from "../../../src/model/files/safetensors.ts";

export function fixture(path: string): string {
  return fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));
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
  "granite4",
  "ministral3",
  "mistral-images",
  "olmo3",
  "qwen2_vl",
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
