// Many short generations on WebGPU, of every kind that opens, copies, shortens or gives up something: what is held in
// between is measured. For the test of leaks and for bench/webgpu-leaks.ts.
import { fileURLToPath } from "node:url";
import { webgpuBackend } from "../../../kernels/webgpu/backend.ts";
import { Device } from "../../../kernels/webgpu/device.ts";
import { selfTest } from "../../../kernels/webgpu/self-test.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { iid } from "../../../plugins/shapes/iid.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import type { Engine } from "../../../src/backend.ts";
import { complete, generate, type GenerateOptions } from "../../../src/round/generate.ts";
import { openModel } from "../../../src/model/open.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { optionsOf } from "../../support/options.ts";
import { faultyAdapter } from "./faulty-gpu.ts";

/** A small one, which drafts for itself: software adapters are slow. */
const MODEL = fileURLToPath(new URL("../../fixtures/stories260k/draft41K-tok512.bin", import.meta.url));

/** What is held while two engines are open and no generation runs. */
export interface Held {
  readonly generations: number;
  readonly buffers: number;
  readonly bytes: number;
  /** Made so far on the device. */
  readonly pipelines: number;
  readonly bindGroups: number;
  readonly rss: number;
}

interface Engines {
  readonly target: Engine;
  readonly proposer: ModelProposer;
}

/** Runs `count` generations on one device, telling what is held after every `every`. Returns how many buffers are left. */
export async function manyGenerations(count: number, every: number, tell: (held: Held) => void): Promise<number> {
  const { found, counts } = await faultyAdapter();
  const device = await Device.open(found); // which all engines share
  await device.tested(() => selfTest(device));
  const before = counts.made - counts.destroyed;
  const left = () => counts.made - counts.destroyed - before;
  const source = await openModel(MODEL);
  try {
    const target = await load(source);
    const engines = { target, proposer: new ModelProposer(await load(source), target) };
    for (let done = 1; done <= count; done++) {
      await KINDS[done % KINDS.length](engines, done);
      if (done % every > 0) continue;
      collectGarbage();
      const { bytes, pipelines, bindGroups } = counts;
      tell({ generations: done, buffers: left(), bytes, pipelines, bindGroups, rss: process.memoryUsage().rss });
    }
    engines.proposer.close();
    target.close();
    return left();
  } finally {
    source.close();
    device.close();
  }
}

function load(source: ModelSource): Promise<Engine> {
  const provider = process.env.HUNCH_TEST_WEBGPU;
  return webgpuBackend.load(source, { format: "auto", strict: true, context: 64, cacheDir: "", provider });
}

/** A generation of few tokens. The seed also chooses the prompt. */
function text({ target }: Engines, seed: number, more: Partial<Omit<GenerateOptions, "sampling">>): GenerateOptions {
  const prompt = target.source.tokenizer.encode(`Tom ${seed % 10}`);
  return optionsOf({ engine: target, prompt, seed, maxTokens: 4, controller: fixed(3), ...more });
}

const lookup = () => new LookupDrafter(3, 1);
const drawn = ({ proposer }: Engines, shape: TreeShape) => new ProposedDrafter("model", proposer, shape);

const KINDS: readonly ((engines: Engines, seed: number) => Promise<unknown>)[] = [
  // Chains and trees, greedy and sampled.
  (engines, seed) => complete(text(engines, seed, { drafter: lookup() })),
  (engines, seed) => complete(text(engines, seed, { drafter: drawn(engines, chain) })),
  (engines, seed) => complete(text(engines, seed, { drafter: drawn(engines, topK([2, 2, 1])) })),
  (engines, seed) => {
    const options = text(engines, seed, { drafter: drawn(engines, iid(2)), rule: recursive });
    return complete({ ...options, sampling: { ...options.sampling, temperature: 1 } });
  },
  // Cancelled after its first round.
  (engines, seed) => {
    const cancel = new AbortController();
    const options = text(engines, seed, { drafter: drawn(engines, topK([2, 1])), signal: cancel.signal });
    return complete(options, () => cancel.abort());
  },
  // Left by whoever reads it.
  async (engines, seed) => {
    for await (const _ of generate(text(engines, seed, { drafter: lookup() }))) break;
  },
  // A text that is rewound and goes on twice.
  async (engines, seed) => {
    const sequence = engines.target.open();
    await complete(text(engines, seed, { drafter: lookup(), sequence, committed: new Int32Array(0) }));
    sequence.rewind(sequence.length - 2);
    for (const each of [sequence.fork(), sequence]) {
      await each.forward({ tokens: Int32Array.of(seed % 500, 1, 2), parents: Int32Array.of(-1, 0, 0) });
      each.keep(Int32Array.of(0, 2));
      await each.forward({ tokens: Int32Array.of(3), score: "last" });
      each.close();
    }
  },
  // An engine of its own, which closes what is left open.
  async ({ target }, seed) => {
    const engine = await load(target.source);
    await engine.open().forward({ tokens: Int32Array.of(1, seed % 500), score: "last" });
    engine.close();
  },
];

/** So that what is measured is held, and not only forgotten. */
function collectGarbage(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(force: boolean): void }; gc?: () => void };
  if (Bun) Bun.gc(true);
  else gc?.();
}
