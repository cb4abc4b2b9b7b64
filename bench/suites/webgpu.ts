// The WebGPU engine beside ONNX Runtime's WebGPU provider and llama.cpp on Vulkan, with onnx:cpu for orientation: passes
// of 1 to 64 rows, plain decoding, and real answers with lookup and without. Each in a process of its own; who cannot
// run, hangs or dies is named, and the others go on. Measurements are written to bench/out/webgpu.jsonl as they come.
//
//   npm run bench -- webgpu
//   npm run bench -- webgpu --model=model.gguf --past=1024 --turns=3 --peers=dawn,llama
//
// --widths=1,16,32  --repeats=10 (passes of one width in a turn)  --tokens=32 (of plain decoding in a turn)
// --prompts=5 --max-tokens=96 (answers)  --timeout=300 (seconds that anything may take)
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { run } from "../../scripts/process.ts";
import { CURRENT, ROOT } from "../../scripts/runtimes.ts";
import { openModel } from "../../src/model/open.ts";
import { Child, type ChildOptions, hunch, llama, script } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, PAST, specBench, THREADS } from "../setup.ts";
import type { Generated, Gpu } from "../worker.ts";

/** Time of so many rows over the time of one; the share of the copy bandwidth at one row; dispatches a layer. */
const AIMS = { ratio: [[16, 1.2], [32, 1.35]], share: 0.7, dispatches: 8 } as const;

const CATEGORIES = ["qa", "extraction", "translation", "summarization", "coding"];
const COPY = { bytes: 256 << 20, forMs: 100 };

interface Peer {
  readonly name: string;
  start(options: ChildOptions): Child;
  readonly load: object;
}

/** ORT sends usage reports unless told not to; C is asked, so it must be told from outside. */
const QUIET = { ORT_DISABLE_TELEMETRY: "1" };
const ort = (options: ChildOptions) => script("ONNX Runtime", "bench/peers/ort.ts", { ...options, env: QUIET });

const PEERS: Readonly<Record<string, Peer>> = {
  dawn: { name: `hunch webgpu:dawn (${CURRENT})`, start: hunch, load: { backend: "webgpu:dawn" } },
  builtin: {
    name: "hunch webgpu:builtin (deno)",
    start: (options) => hunch(options, "deno"),
    load: { backend: "webgpu:builtin" },
  },
  ort: { name: "ONNX Runtime WebGPU", start: ort, load: { activations: "float32" } },
  ort8: { name: "ONNX Runtime WebGPU, rows in 8 bits", start: ort, load: { activations: "int8" } },
  llama: { name: "llama.cpp Vulkan", start: llama, load: { gpu: "vulkan", threads: THREADS } },
  cpu: { name: "hunch onnx:cpu", start: hunch, load: { backend: "onnx:cpu", format: "exact" } },
};

interface Counts {
  readonly dispatches: number;
  readonly submits: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

interface Passes {
  readonly ms: number[];
  readonly counts?: Counts;
}

interface Plain {
  readonly ms: number[];
  readonly text: number[];
}

/** What is known of one peer. */
class Measured {
  /** By width: the median of each turn. */
  readonly passes = new Map<number, number[]>();
  readonly counts = new Map<number, Counts>();
  /** Bytes that come back where all scores are asked for. */
  readonly allScores = new Map<number, number>();
  /** By width: dispatches a layer, and besides the layers. */
  readonly layers = new Map<number, readonly [number, number]>();
  readonly plain: number[] = [];
  text: number[] = [];
  gpu: Gpu | undefined;
  refusal: string | undefined;
  child: Child | undefined;
  constructor(readonly key: string, readonly peer: Peer) {}
}

function flags() {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    strict: false,
    options: {
      model: { type: "string", default: DEFAULT_MODEL },
      peers: { type: "string", default: Object.keys(PEERS).join(",") },
      past: { type: "string", default: String(PAST) },
      widths: { type: "string", default: "1,2,4,8,16,32,64" },
      turns: { type: "string", default: "5" },
      repeats: { type: "string", default: "10" },
      tokens: { type: "string", default: "32" },
      prompts: { type: "string", default: "5" },
      "max-tokens": { type: "string", default: "96" },
      timeout: { type: "string", default: "300" },
    },
  });
  const number = (name: keyof typeof values) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} takes a number, not ${values[name]}`);
  };
  const peers = String(values.peers).split(",");
  const strange = peers.find((key) => !(key in PEERS));
  if (strange !== undefined) throw new Error(`--peers: no ${strange}; there are ${Object.keys(PEERS).join(", ")}`);
  return {
    model: String(values.model),
    peers,
    past: number("past"),
    widths: String(values.widths).split(",").map(Number),
    turns: number("turns"),
    repeats: number("repeats"),
    tokens: number("tokens"),
    prompts: number("prompts"),
    maxTokens: number("max-tokens"),
    limitMs: number("timeout") * 1000,
  };
}

const log = `${ROOT}bench/out/webgpu.jsonl`;

/** Keeps one measurement, whatever happens next. */
function note(entry: object): void {
  appendFileSync(log, JSON.stringify(entry) + "\n");
}

const suite: Suite = {
  summary: "The WebGPU engine beside ONNX Runtime's WebGPU provider and llama.cpp on Vulkan: times, bandwidth, counts",
  options: {
    ...{ model: "FILE", peers: "LIST", past: "N", widths: "LIST", turns: "N", repeats: "N", tokens: "N", prompts: "N" },
    ...{ "max-tokens": "N", timeout: "SECONDS" },
  },
  async run() {
    const options = flags();
    const source = await openModel(options.model);
    const { layers, vocab } = source.spec;
    const context = Math.min(source.spec.context, options.past + Math.max(...options.widths, options.tokens) + 16);
    source.close();
    const commit = await commitNow();
    mkdirSync(`${ROOT}bench/out`, { recursive: true });
    writeFileSync(log, JSON.stringify({ commit, runtime: CURRENT, ...options }) + "\n");

    const versions: Record<string, string> = { commit, model: options.model };
    const all = options.peers.map((key) => new Measured(key, PEERS[key]));
    const running = () => all.filter(({ refusal }) => refusal === undefined);
    const give = (measured: Measured, refusal: string) => {
      measured.refusal = refusal;
      note({ peer: measured.key, refusal });
      console.error(`webgpu: ${measured.peer.name} is out: ${refusal}`);
      measured.child?.close(0);
    };
    /** Asks a peer, which is out if it cannot answer. */
    const ask = async <T>(measured: Measured, what: string, request: object = {}): Promise<T | undefined> => {
      try {
        return await measured.child!.ask<T>(what, request, options.limitMs);
      } catch (error) {
        give(measured, oneLine(error));
      }
    };

    const needsLlama = all.find(({ key }) => key === "llama");
    if (needsLlama) {
      try {
        versions["node-llama-cpp"] = await installPeers(true);
      } catch (error) {
        give(needsLlama, oneLine(error));
      }
    }
    const placements = await whatOrtPlaces(all, { path: options.model, context }, options.limitMs);

    for (const measured of running()) {
      measured.child = measured.peer.start({ listen: () => {} });
      const loaded = await ask<{ devices?: string[]; gpuLayers?: number }>(measured, "load", {
        path: options.model,
        context,
        ...measured.peer.load,
      });
      if (!loaded) continue;
      console.error(`webgpu: ${measured.peer.name} has loaded the model`);
      if (loaded.devices) versions["llama.cpp"] = `${loaded.gpuLayers} layers on ${loaded.devices.join(", ")}`;
      if (measured.peer.name.includes("webgpu:")) measured.gpu = await ask<Gpu>(measured, "gpu");
      if (measured.gpu) note({ peer: measured.key, gpu: measured.gpu });
    }

    // One text for all. Its ids are spread over the vocabulary.
    const needed = options.past + Math.max(...options.widths, options.tokens) + options.repeats + 1;
    const tokens = Array.from({ length: needed }, (_, i) => (500 + i * 131) % Math.min(vocab, 40000));
    const copy: number[] = [];
    const bench = all.find(({ gpu, refusal }) => gpu && !refusal);
    const request = { past: options.past, tokens };
    for (let turn = -1; turn < options.turns; turn++) { // turn −1 compiles
      const repeat = turn < 0 ? 1 : options.repeats;
      for (const rows of options.widths) {
        for (const measured of running()) {
          const need = "argmax";
          const done = await ask<Passes>(measured, "pass", { ...request, rows, repeat, need });
          if (!done) continue;
          note({ peer: measured.key, turn, rows, ...done });
          if (turn < 0) {
            if (!measured.gpu) continue;
            if (done.counts) measured.counts.set(rows, done.counts);
            const scored = await ask<Passes>(measured, "pass", { ...request, rows, repeat: 1 });
            if (scored?.counts) measured.allScores.set(rows, scored.counts.readBytes);
            note({ peer: measured.key, rows, allScores: scored?.counts });
          } else {
            const medians = measured.passes.get(rows) ?? [];
            medians.push(spread(done.ms).median);
            measured.passes.set(rows, medians);
          }
        }
      }
      if (turn < 0) {
        for (const measured of running().filter(({ gpu }) => gpu)) {
          const one = await ask<{ dispatches: number[] }>(measured, "oneLayer", { ...request, widths: options.widths });
          options.widths.forEach((rows, i) => {
            const total = measured.counts.get(rows)?.dispatches;
            if (!one || total === undefined) return;
            const each = layers.length > 1 ? (total - one.dispatches[i]) / (layers.length - 1) : NaN;
            measured.layers.set(rows, [each, total - each * layers.length]);
          });
        }
      }
      for (const measured of turn < 0 || options.tokens === 0 ? [] : running()) {
        const done = await ask<Plain>(measured, "plain", { ...request, count: options.tokens });
        if (!done) continue;
        note({ peer: measured.key, turn, plain: done.ms, text: done.text });
        measured.plain.push(spread(done.ms).median);
        measured.text = done.text;
      }
      if (bench && bench.refusal === undefined && turn >= 0) {
        const done = await ask<{ rate: number }>(bench, "copy", COPY);
        if (done) copy.push(done.rate);
        note({ peer: bench.key, turn, copyGBs: done && done.rate / 1e6 });
      }
    }
    for (const { child } of running()) await child!.close();
    const answered = options.prompts > 0
      ? await answers({ ...options, context: Math.min(2048, source.spec.context) }, all)
      : undefined;

    const gpu = bench?.gpu;
    if (gpu) {
      versions.adapter = Object.entries(gpu.info).map(([name, value]) => `${name} “${value}”`).join(", ");
      versions.driver = driver(gpu);
      versions["features used"] = gpu.used.join(", ") || "none";
      versions["features offered"] = gpu.offered.join(", ") || "none";
      versions["copying on the device"] = copy.length ? `${show(spread(copy.map((rate) => rate / 1e6)), 1)} GB/s` : "–";
      versions.weights = `${(gpu.weightBytes / 1e6).toFixed(1)} MB; on the device ${
        (gpu.memoryBytes / 1e6).toFixed(0)
      } MB`;
    }
    const parts = [
      gpu?.software
        ? "**A processor plays the GPU here: the times and bandwidths below say nothing about GPUs. The counts hold.**"
        : "",
      `Past ${options.past}; medians of ${options.turns} turns with the middle half; after · the ratio to 1 row. hunch and ` +
      "ONNX Runtime give the likeliest token of every row, llama.cpp brings back all scores.",
      timesTable(all, options.widths),
      gpu ? countsTable(all, options.widths, gpu, copy) : "",
      "What each said:",
      all.map((measured) => `- ${measured.peer.name}: ${told(measured, placements)}`).join("\n"),
      answered ?? "",
      "Aims, for hunch on " + (bench?.peer.name ?? "a GPU") + ":",
      aims(bench, copy),
    ];
    return { report: parts.filter(Boolean).join("\n\n"), versions };
  },
};

export default suite;

function timesTable(all: readonly Measured[], widths: readonly number[]): string {
  const shown = all.filter(({ passes }) => passes.size > 0);
  if (shown.length === 0) return "Nothing could be measured.";
  const rows = widths.map((rows) => [
    `${rows} rows, ms`,
    ...shown.map(({ passes }) => {
      const [ms, alone] = [passes.get(rows), passes.get(1)];
      if (!ms) return "–";
      return show(spread(ms)) + (alone && rows > 1 ? ` · ${spread(ratios(ms, alone)).median.toFixed(2)}×` : "");
    }),
  ]);
  const plain = shown.map(({ plain }) => plain.length ? show(spread(plain.map((ms) => 1000 / ms)), 1) : "–");
  return table(["", ...shown.map(({ peer }) => peer.name)], [...rows, ["plain decoding, tokens/s", ...plain]]);
}

function countsTable(
  all: readonly Measured[],
  widths: readonly number[],
  { weightBytes }: Gpu,
  copy: readonly number[],
): string {
  const rows = all.filter(({ counts }) => counts.size > 0).flatMap(({ key, counts, layers, passes, allScores }) =>
    widths.filter((rows) => counts.has(rows)).map((rows) => {
      const { dispatches, submits, readBytes, writtenBytes } = counts.get(rows)!;
      const rate = passes.has(rows) ? weightBytes / spread(passes.get(rows)!).median : NaN;
      const share = copy.length ? rate / spread(copy).median : NaN;
      return [
        `${key}, ${rows} rows`,
        shown(rate / 1e6, (rate) => rate.toFixed(2)),
        shown(share, percent),
        String(dispatches),
        (layers.get(rows) ?? [NaN, NaN]).map((count) => shown(count, brief)).join(" · "),
        String(submits),
        String(writtenBytes),
        String(readBytes),
        String(allScores.get(rows) ?? "–"),
      ];
    })
  );
  return table([
    "a pass",
    "GB/s of weights",
    "of the copy bandwidth",
    "dispatches",
    "a layer · besides",
    "submits",
    "bytes up",
    "bytes back",
    "back with all scores",
  ], rows);
}

const shown = (value: number, how: (value: number) => string) => Number.isNaN(value) ? "–" : how(value);
const brief = (value: number) => String(Number(value.toFixed(1)));
const percent = (value: number) => `${(100 * value).toFixed(1)}%`;

/** Met or missed; times of a processor that plays a GPU are neither. */
function aims(bench: Measured | undefined, copy: readonly number[]): string {
  const software = bench?.gpu?.software;
  const verdict = (value: number, met: boolean, timed: boolean) => {
    if (timed && software) return "not measurable here (software adapter)";
    return Number.isNaN(value) ? "not measured" : met ? "met" : "missed";
  };
  const of = (rows: number) => bench?.passes.get(rows) ?? [];
  const lines: string[][] = AIMS.ratio.map(([rows, most]) => {
    const value = of(rows).length && of(1).length ? spread(ratios(of(rows), of(1))).median : NaN;
    return [
      `${rows} rows, at most ${most} × 1 row`,
      shown(value, (ratio) => ratio.toFixed(2)),
      verdict(value, value <= most, true),
    ];
  });
  const share = bench?.gpu && copy.length && of(1).length
    ? bench.gpu.weightBytes / spread(of(1)).median / spread(copy).median
    : NaN;
  lines.push([
    `1 row, weights read at ${100 * AIMS.share}% of the copy bandwidth`,
    shown(share, percent),
    verdict(share, share >= AIMS.share, true),
  ]);
  const counts = [...bench?.counts.values() ?? []];
  const most = bench?.layers.size ? Math.max(...[...bench.layers.values()].map(([each]) => each)) : NaN;
  const submits = Math.max(...counts.map(({ submits }) => submits));
  const counted = (value: number) => counts.length ? value : NaN;
  lines.push(
    [
      `dispatches a layer, at most ${AIMS.dispatches}`,
      shown(most, brief),
      verdict(most, most <= AIMS.dispatches, false),
    ],
    ["one submit a pass", shown(counted(submits), String), verdict(counted(submits), submits === 1, false)],
  );
  return table(["aim", "measured", "verdict"], lines);
}

function told({ key, refusal, text, gpu }: Measured, placements: ReadonlyMap<string, string>): string {
  if (refusal) return `**out**: ${refusal}`;
  const parts = ["ran"];
  if (gpu) parts.push(gpu.name);
  if (placements.has(key)) parts.push(placements.get(key)!);
  if (text.length) parts.push(`its plain text begins ${text.slice(0, 8).join(" ")}`);
  return parts.join("; ");
}

/** Who computes the nodes of the graph, by peer: asked of a process that logs everything and is not timed. */
async function whatOrtPlaces(
  all: readonly Measured[],
  load: { path: string; context: number },
  limitMs: number,
): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  for (const { key, peer } of all) {
    if (!key.startsWith("ort")) continue;
    let heard = "";
    const child = peer.start({ listen: (text) => heard += text });
    const programs = () =>
      new Promise<number>((resolve) => {
        setTimeout(() => resolve(heard.split("Starting program").length - 1), 300); // stderr comes when it comes
      });
    try {
      await child.ask("load", { ...load, ...peer.load, verbose: true }, limitMs);
      const pass = { rows: 1, past: 0, repeat: 1, tokens: [1, 2, 3] };
      await child.ask("pass", pass, limitMs);
      const first = await programs();
      await child.ask("pass", pass, limitMs);
      told.set(key, `${placed(heard)}; ${await programs() - first} dispatches for 1 row`);
    } catch (error) {
      told.set(key, `${placed(heard)}; asked for more: ${oneLine(error)}`);
    }
    await child.close();
    note({ peer: key, placement: told.get(key) });
  }
  return told;
}

/** `WebGPU 335 nodes, CPU 22 (FusedMatMul 22)` of ONNX Runtime's log. */
function placed(log: string): string {
  const places: { provider: string; ops: string[]; count: number }[] = [];
  for (const line of log.slice(Math.max(0, log.indexOf("Node placements"))).split("\n")) {
    const head = /placed on \[(\w+?)(?:ExecutionProvider)?\]\. Number of nodes: (\d+)/.exec(line);
    const node = /VerifyEachNodeIsAssignedToAnEp\] {3}(\w+) \(/.exec(line);
    if (head) places.push({ provider: head[1], ops: [], count: Number(head[2]) });
    else if (node) places.at(-1)?.ops.push(node[1]);
  }
  if (places.length === 0) return "it does not say which nodes run where";
  const counted = (ops: string[]) =>
    [...new Set(ops)].map((op) => `${op} ${ops.filter((other) => other === op).length}`).join(", ");
  return places.map(({ provider, ops, count }) =>
    `${provider} computes ${count} nodes` + (provider === "CPU" ? ` (${counted(ops)})` : "")
  ).join(", ");
}

/** Real prompts with lookup and without, on a GPU and on the processor: tokens per second, and whether texts differ. */
async function answers(
  { model, prompts, maxTokens, limitMs, context }: ReturnType<typeof flags> & { readonly context: number },
  all: readonly Measured[],
): Promise<string | undefined> {
  const who = all.filter(({ key, refusal }) => ["dawn", "builtin", "cpu"].includes(key) && !refusal);
  if (who.length === 0) return undefined;
  const runs = who.flatMap(({ key, peer }) =>
    ["none", "lookup"].map((drafter) => ({ key, peer, drafter, child: peer.start({ listen: () => {} }), dead: "" }))
  );
  const attempt = async <T>(run: typeof runs[number], what: string, request: object): Promise<T | undefined> => {
    if (run.dead) return undefined;
    try {
      return await run.child.ask<T>(what, request, limitMs);
    } catch (error) {
      run.dead = oneLine(error);
      note({ peer: run.key, drafter: run.drafter, refusal: run.dead });
      console.error(`webgpu: ${run.peer.name} with ${run.drafter} is out: ${run.dead}`);
    }
  };
  for (const run of runs) {
    await attempt(run, "load", { path: model, context, ...run.peer.load, drafter: run.drafter });
    const warm = await attempt<{ ids: number[] }>(run, "prompt", { text: "Warm up." });
    if (warm) await attempt(run, "generate", { prompt: warm.ids, max: 8 });
  }
  const rates = runs.map(() => [] as number[]);
  let compared = 0, drafted = 0, crossed = 0;
  for (let i = 0; i < prompts; i++) {
    const category = CATEGORIES[i % CATEGORIES.length];
    const found = specBench(category, Math.floor(i / CATEGORIES.length) + 1);
    const text = found[found.length - 1].text;
    const texts: (string | undefined)[] = [];
    for (let k = 0; k < runs.length; k++) {
      const run = runs[(k + i) % runs.length];
      const prompt = await attempt<{ ids: number[] }>(run, "prompt", { text });
      const done = prompt && await attempt<Generated>(run, "generate", { prompt: prompt.ids, max: maxTokens });
      if (!done) continue;
      const at = runs.indexOf(run);
      texts[at] = done.tokens.join();
      const rate = (done.tokens.length - 1) / (done.ms - done.firstMs) * 1000;
      if (done.tokens.length > 1) rates[at].push(rate);
      note({ peer: run.key, drafter: run.drafter, category, rate, tokens: done.tokens, passes: done.stats.passes });
    }
    const own = runs.findIndex(({ key }) => key !== "cpu");
    const cpu = runs.findIndex(({ key }) => key === "cpu");
    if (own < 0 || texts[own] === undefined) continue;
    compared++;
    if (texts[own] === texts[own + 1]) drafted++;
    if (cpu >= 0 && texts[own] === texts[cpu]) crossed++;
  }
  for (const { child } of runs) await child.close();
  const cell = (rate: number[], dead: string) => rate.length ? show(spread(rate), 1) : dead || "–";
  const lines = who.map(({ peer }, i) => {
    const [plain, fast] = [2 * i, 2 * i + 1];
    return [
      peer.name,
      cell(rates[plain], runs[plain].dead),
      cell(rates[fast], runs[fast].dead),
      rates[plain].length && rates[fast].length ? show(spread(ratios(rates[fast], rates[plain]))) : "–",
    ];
  });
  return `Answers of up to ${maxTokens} tokens to ${prompts} prompts of Spec-Bench, after the first token. The GPU's text ` +
    `with lookup is its text without for ${drafted} of ${compared}, and that of onnx:cpu, which rounds otherwise, for ` +
    `${crossed} of ${compared}.\n\n` +
    table(["answers", "plain, tokens/s", "lookup, tokens/s", "lookup / plain"], lines);
}

/** The first line of what went wrong. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0].replace(/\/onnxruntime_src.* was false\. /, "").slice(0, 300); // no places in ORT's source
}

async function commitNow(): Promise<string> {
  const { code, output } = await run(["git", "rev-parse", "--short", "HEAD"]);
  if (code !== 0) return "unknown";
  const changed = await run(["git", "status", "--porcelain", "--untracked-files=no"]);
  return output.trim() + (changed.output.trim() ? " with changes" : "");
}

/** As the adapter describes it, and what the system says of NVIDIA's. */
function driver({ info }: Gpu): string {
  const nvidia = "/proc/driver/nvidia/version";
  const system = existsSync(nvidia) ? readFileSync(nvidia, "utf8").split("\n")[0] : "";
  return [info.description, system].filter(Boolean).join("; ") || "unknown";
}
