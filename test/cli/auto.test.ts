// --backend auto: with backends made up for it, for machines of every kind.
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { foresee, loadFastest, type Setting } from "../../cli/engine/auto.ts";
import { choiceLine, forgetChoices, type Options, prospectLine } from "../../cli/engine/choice.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { isSoftware } from "../../kernels/webgpu/adapter.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { Backend, Engine } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { holdGpu } from "../kernels/support/gpu.ts";
import { TableEngine } from "../support/table-engine.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const options: Options = { format: "auto", strict: true, cacheDir };
const { source } = new TableEngine();
const DAY = 24 * 60 * 60 * 1000;

/** A machine: what each backend does there. Absent: it cannot be loaded. */
interface Machine {
  [backend: string]: {
    /** Milliseconds of a pass over one row and over eight. */
    ms?: [number, number];
    exact?: "none" | "chains" | "trees";
    format?: WeightFormat;
    hardware?: string | Error;
    /** Thrown by loading. */
    broken?: Error;
    refuses?: WeightFormat;
  };
}

let events: string[];
/** Engines that are loaded, and most of them at a time. */
let open: number;
let most: number;
let now: number;

beforeEach(() => {
  [events, open, most] = [[], 0, 0];
  now = 1e12;
  forgetChoices(cacheDir);
});

function settingOf(machine: Machine): Setting {
  const backendOf = (name: string): Backend => {
    const { ms, exact = "trees", format = "exact", hardware, broken, refuses } = machine[name] ?? {};
    return {
      name,
      offers: () =>
        [{ format: "exact", bytes: 1 }, { format: "int8", bytes: 1 }].map((offer) =>
          offer.format === refuses ? { format: refuses, refusal: `no ${refuses} here` } : offer
        ) as { format: WeightFormat; bytes: number }[],
      ...hardware === undefined ? {} : {
        hardware: async () => {
          events.push(`look ${name}`);
          if (hardware instanceof Error) throw hardware;
          return hardware;
        },
      },
      async load(_, { format: wanted, strict }) {
        events.push(`load ${name}`);
        if (broken) throw broken;
        if (!machine[name] || (wanted !== "auto" && wanted === refuses)) throw new UnsupportedError(`no ${name}`);
        const table = new TableEngine({ can: { exact: strict ? exact : "none" } });
        const engine: Engine & { ms?: [number, number] } = {
          name: `${name}:fake`,
          source,
          format: wanted === "auto" ? format : wanted,
          context: 100,
          maxRows: 8,
          can: table.can,
          open: () => table.open(),
          cost: () => NaN,
          calibrate: () => Promise.resolve(),
          close: () => {
            open--;
            events.push(`close ${name}`);
          },
          ms,
        };
        most = Math.max(most, ++open);
        return engine;
      },
    };
  };
  return {
    backends: Object.fromEntries(["onnx", "webgpu", "reference"].map((name) => [name, async () => backendOf(name)])),
    measure: async (engine) => {
      events.push(`measure ${engine.name.split(":")[0]}`);
      const { ms } = engine as { ms?: [number, number] };
      if (!ms) throw new HunchError("unavailable", "the graphics device was lost");
      return { one: ms[0], eight: ms[1] };
    },
    now: () => now,
  };
}

/** What auto takes on a machine, told; `events` says how it got there. */
async function start(machine: Machine, more: Partial<Options> = {}): Promise<string> {
  [events, open, most] = [[], 0, 0];
  const { choice, engine } = await loadFastest(source, { ...options, ...more }, settingOf(machine));
  assert.equal(choice.engine, engine.name);
  assert.deepEqual(Object.keys(choice), ["engine", "trials", "refusals"]);
  assert.deepEqual([open, most], [1, 1]);
  return choiceLine(choice);
}

const ONNX = { ms: [14.8, 21] as [number, number], exact: "chains" as const };
const GPU = { ms: [3.1, 3.4] as [number, number], hardware: "a card" };
const SLOW = { ...GPU, ms: [50, 60] as [number, number] };
const REFERENCE = { ms: [0.1, 0.1] as [number, number] };

test("the faster is taken, never two are loaded at once, and the next start loads it alone", async () => {
  const machine = { onnx: ONNX, webgpu: GPU, reference: REFERENCE };
  const line = "auto chose webgpu:fake: 1 row 3.1 ms, 8 rows 3.4 ms; onnx:fake 14.8 and 21.0 ms";
  assert.equal(await start(machine), line);
  assert.deepEqual(events, [
    "load onnx",
    "look webgpu",
    "measure onnx",
    "close onnx",
    "load webgpu",
    "measure webgpu",
  ]);
  assert.equal(await start(machine), line);
  assert.deepEqual(events, ["look webgpu", "load webgpu"]);
});

test("where the second is slower, the first is loaded again and remembered without asking the second", async () => {
  const machine = { onnx: ONNX, webgpu: SLOW };
  const line = "auto chose onnx:fake: 1 row 14.8 ms, 8 rows 21.0 ms; webgpu:fake 50.0 and 60.0 ms";
  assert.equal(await start(machine), line);
  assert.deepEqual(events.slice(-3), ["measure webgpu", "close webgpu", "load onnx"]);
  assert.equal(await start(machine), line);
  assert.deepEqual(events, ["load onnx"]);
});

test("one row and eight rows count the same: a wide pass may outweigh a plain one", async () => {
  const webgpu = { ...GPU, ms: [16, 17] as [number, number] };
  assert.match(await start({ onnx: ONNX, webgpu }), /^auto chose webgpu:fake: 1 row 16.0 ms, 8 rows 17.0 ms; onnx/);
});

test("formats are told where they differ", async () => {
  assert.equal(
    await start({ onnx: { ...ONNX, format: "int8" }, webgpu: GPU }),
    "auto chose webgpu:fake: exact 1 row 3.1 ms, 8 rows 3.4 ms; onnx:fake int8 14.8 and 21.0 ms",
  );
});

test("without hardware nothing is measured, and nothing is asked again on the same day", async () => {
  const machine = { onnx: ONNX, webgpu: { ...GPU, hardware: new UnsupportedError("no adapter", { hint: "buy one" }) } };
  const line = "auto chose onnx:fake: webgpu: no adapter";
  assert.equal(await start(machine), line);
  assert.deepEqual(events, ["load onnx", "look webgpu"]);
  assert.equal(await start(machine), line);
  assert.deepEqual(events, ["load onnx"]);
});

test("once a day the hardware is asked for its name, and another one is tried", async () => {
  const none = { onnx: ONNX, webgpu: { ...GPU, hardware: new UnsupportedError("no adapter") } };
  await start(none);
  now += DAY + 1;
  await start(none);
  assert.deepEqual(events, ["look webgpu", "load onnx"]);
  await start(none);
  assert.deepEqual(events, ["load onnx"]);
  now += DAY + 1;
  assert.match(await start({ onnx: ONNX, webgpu: GPU }), /^auto chose webgpu/);
  assert.match(await start({ onnx: ONNX, webgpu: { ...SLOW, hardware: "another card" } }), /^auto chose onnx/);
});

const FAILURES: [what: string, webgpu: Machine[string], told: RegExp][] = [
  [
    "fails its self-test",
    { ...GPU, broken: new UnsupportedError("computes other numbers") },
    /computes other numbers$/,
  ],
  ["has no memory", { ...GPU, broken: new HunchError("unavailable", "no memory left") }, /webgpu: no memory left$/],
  ["has a bug", { ...GPU, broken: new Error("does not\ncompile") }, /webgpu: does not compile$/],
  ["is lost while it is measured", { hardware: "a card" }, /webgpu: the graphics device was lost$/],
  ["changes a row's bits under --strict", { ...GPU, exact: "none" }, /a row's bits depend on the rows beside it/],
];
for (const [what, webgpu, told] of FAILURES) {
  test(`a second that ${what} costs nobody an answer, and is tried again a day later`, async () => {
    const line = await start({ onnx: ONNX, webgpu });
    assert.match(line, /^auto chose onnx:fake: webgpu: /);
    assert.match(line, told);
    await start({ onnx: ONNX, webgpu });
    assert.deepEqual(events, ["load onnx"]);
    now += DAY + 1;
    assert.match(await start({ onnx: ONNX, webgpu: GPU }), /^auto chose webgpu:fake: 1 row/);
  });
}

test("without --strict an engine whose bits depend on neighbours may be taken", async () => {
  assert.match(await start({ onnx: ONNX, webgpu: { ...GPU, exact: "none" } }, { strict: false }), /^auto chose webgpu/);
});

test("a start that a driver ended is not repeated by the next one", async () => {
  const machine = { onnx: ONNX, webgpu: GPU };
  const { backends, ...rest } = settingOf(machine);
  await assert.rejects(loadFastest(source, options, {
    ...rest,
    backends: { ...backends, webgpu: () => new Promise((_, reject) => reject(new Error("the process ends here"))) },
  }));
  assert.equal(
    await start(machine),
    "auto chose onnx:fake: the other backends: hunch ended while they were tried",
  );
  assert.deepEqual(events, ["load onnx"]);
});

test("a remembered backend that no longer loads is given up, and what is left is tried again", async () => {
  await start({ onnx: ONNX, webgpu: GPU });
  const webgpu = { ...GPU, broken: new UnsupportedError("no memory left") };
  assert.equal(await start({ onnx: ONNX, webgpu }), "auto chose onnx:fake: webgpu: no memory left");
  await start({ onnx: ONNX, webgpu: SLOW });
  assert.deepEqual(events, ["load onnx"]);
});

test("a format that only one has leaves no choice, and each set of options has a choice of its own", async () => {
  const machine = { onnx: ONNX, webgpu: { ...GPU, refuses: "int8" as const } };
  assert.equal(await start(machine, { format: "int8" }), "auto chose onnx:fake: webgpu: no int8 here");
  assert.deepEqual(events, ["load onnx"]);
  assert.match(await start(machine, { format: "exact" }), /^auto chose webgpu/);
  assert.match(await start(machine, { format: "int8" }), /^auto chose onnx/);
});

test("a choice is news where it was made, and not where it was remembered", async () => {
  const machine = { onnx: ONNX, webgpu: GPU };
  const fresh = async () => (await loadFastest(source, options, settingOf(machine))).fresh;
  assert.deepEqual([await fresh(), await fresh(), await fresh()], [true, false, false]);
  forgetChoices(cacheDir);
  assert.equal(await fresh(), true);
});

test("another model, and what was kept damaged, are measured", async () => {
  const machine = { onnx: ONNX, webgpu: GPU };
  await start(machine);
  const other = { ...source, hash: () => Promise.resolve("another") };
  events = [];
  await loadFastest(other, options, settingOf(machine));
  assert.ok(events.includes("measure webgpu"));
  const folder = join(cacheDir, "choices");
  for (const damage of ["", "{}", '{"backend":"onnx"}', '{"backend":"gone","engine":"","trials":[],"refusals":[]}']) {
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), damage);
    assert.match(await start(machine), /^auto chose webgpu/);
    assert.ok(events.includes("measure webgpu"), damage);
  }
});

test("without the first, the second is taken as it is; reference only where nothing else can", async () => {
  assert.equal(await start({ webgpu: GPU, reference: REFERENCE }), "auto chose webgpu:fake: onnx: no onnx");
  forgetChoices(cacheDir);
  assert.equal(await start({ reference: REFERENCE }), "auto chose reference:fake: onnx: no onnx; webgpu: no webgpu");
  forgetChoices(cacheDir);
  await assert.rejects(start({}), {
    kind: "unavailable",
    message: "no backend can run this model here: onnx: no onnx | webgpu: no webgpu | reference: no reference",
  });
  const broken = new HunchError("input", "the model is broken");
  await assert.rejects(start({ onnx: { broken }, webgpu: GPU }), broken);
});

test("what auto would try is told without loading anything, and what it took once it did", async () => {
  const told = async (machine: Machine) => {
    events = [];
    const found = await foresee(source, options, settingOf(machine));
    assert.ok(!events.some((event) => event.startsWith("load")));
    return "engine" in found ? choiceLine(found) : prospectLine(found);
  };
  const machine = { onnx: ONNX, webgpu: GPU, reference: REFERENCE };
  assert.equal(await told(machine), "auto would try the faster of onnx and webgpu (a card)");
  const none = { ...GPU, hardware: new UnsupportedError("no adapter") };
  assert.equal(await told({ onnx: ONNX, webgpu: none }), "auto would try onnx; webgpu: no adapter");
  assert.ok(!existsSync(join(cacheDir, "choices")));
  await start(machine);
  assert.match(await told(machine), /^auto chose webgpu:fake: 1 row/);
});

test("real passes are measured, also where the context has no room for eight rows", async () => {
  for (const context of [3, 8, 512]) {
    const backend = (name: string): Backend => ({
      name,
      hardware: async () => "a card",
      load: async () => new TableEngine({ context }),
    });
    const backends = {
      onnx: async () => backend("onnx"),
      webgpu: async () => backend("webgpu"),
      reference: async () => backend("reference"),
    };
    forgetChoices(cacheDir);
    const { choice } = await loadFastest(source, { ...options, context }, { backends });
    assert.deepEqual(choice.trials.map(({ backend }) => backend).sort(), ["onnx", "reference", "webgpu"]);
    assert.ok(choice.trials.every(({ ms: { one, eight } }) => one > 0 && eight >= one));
  }
});

test("software adapters are known by their own word and by their names", () => {
  for (
    const name of [
      "google swiftshader swiftshader-device-subzero- SwiftShader driver 5.0.0",
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      "microsoft Microsoft Basic Render Driver",
      "WARP",
    ]
  ) assert.ok(isSoftware(name, undefined), name);
  for (
    const name of [
      "nvidia hopper NVIDIA H200 NVIDIA: 570.86.15",
      "apple metal-3 Apple M2 Pro",
      "intel gen-12lp Intel(R) Iris(R) Xe Graphics",
      "amd rdna-3 AMD Radeon RX 7900 XTX (RADV NAVI31)",
      "qualcomm adreno-7xx",
      "an adapter without a name",
    ]
  ) assert.ok(!isSoftware(name, false), name);
  assert.ok(isSoftware("an adapter without a name", true));
});

const skip = await holdGpu(after);

test("the real engines take turns, and the winner answers after the other was closed", { skip }, async () => {
  const path = fileURLToPath(new URL("../fixtures/stories260k/stories260K-f32.gguf", import.meta.url));
  const model = await openModel(path);
  const backends = {
    onnx: async () => onnxBackend,
    webgpu: async () => ({ ...webgpuBackend, hardware: async () => "whatever there is" }),
    reference: async () => referenceBackend,
  };
  const likeliest = async (engine: Engine): Promise<number> => {
    const sequence = engine.open();
    try {
      return (await sequence.forward({ tokens: Int32Array.of(1) })).argmax(0);
    } finally {
      sequence.close();
    }
  };
  for (const fastest of ["onnx", "webgpu"]) {
    forgetChoices(cacheDir);
    const measure = async (engine: Engine) => {
      assert.equal(await likeliest(engine), 403);
      return engine.name.startsWith(fastest) ? { one: 1, eight: 2 } : { one: 2, eight: 2 };
    };
    const { engine, choice } = await loadFastest(model, options, { backends, measure });
    assert.deepEqual(choice.refusals, []);
    assert.ok(engine.name.startsWith(fastest));
    assert.equal(await likeliest(engine), 403);
    engine.close();
  }
  model.close();
});
