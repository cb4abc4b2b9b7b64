// hunch bench passes: every pass is timed in turns and told once, the table says what was measured, and what cannot be
// measured is refused in one line.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readBandwidth } from "../../cli/bench/bandwidth.ts";
import { summed } from "../../cli/bench/passes/nodes.ts";
import { type FormatTimes, formatTimes, nodesTable, timesTable } from "../../cli/bench/passes/report.ts";
import { PassTimer, spreadTokens } from "../../cli/bench/passes/timer.ts";
import { inTurns } from "../../cli/bench/passes/turns.ts";
import { busyWarning } from "../../cli/bench/warnings.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import type { Engine } from "../../src/backend.ts";
import { file, FOLDER, hunch, STORIES, TINY } from "./support/cli.ts";

const PASSES = ["bench", "passes", "-m", STORIES, "--threads", "1", "--turns", "2", "--past", "32"];

interface Told {
  readonly engine: string;
  readonly threads?: number;
  readonly bandwidth?: number;
  readonly past: number;
  readonly turns: number;
  readonly formats: readonly FormatTimes[];
}

test("every format is timed in every turn, and plain decoding is held against what the machine reads", async () => {
  const { code, stdout, stderr } = await hunch([...PASSES, "--rows", "8,2", "--json"]);
  assert.equal(code, 0, stderr);
  const { engine, threads, bandwidth, past, turns, formats } = JSON.parse(stdout) as Told;
  assert.deepEqual([engine, threads, past, turns], ["onnx:cpu", 1, 32, 2]);
  assert.ok(bandwidth! > 1e8 && bandwidth! < 1e13, `${bandwidth}`);
  assert.deepEqual(formats.map(({ format }) => format), ["exact", "int8", "float32"]);
  for (const { plain, passes, weightBytes } of formats) {
    assert.deepEqual(passes.map(({ rows }) => rows), [1, 2, 8], "one row is what the others are told by");
    for (const { ms, low, median, high } of [plain, ...passes]) {
      assert.ok(ms.length === 2 && ms.every((one) => one > 0) && low <= median && median <= high);
    }
    const { bytesPerSecond, ofMachine } = plain.reading!;
    assert.ok(Math.abs(bytesPerSecond / (1000 * weightBytes! / plain.median) - 1) < 1e-9);
    assert.ok(Math.abs(ofMachine! / (bytesPerSecond / bandwidth!) - 1) < 1e-9);
  }
});

test("other backends are timed as well, without a share of the memory's bandwidth", async () => {
  const { code, stdout, stderr } = await hunch([
    "bench",
    "passes",
    ...TINY,
    "--turns",
    "1",
    "--past",
    "4",
    "--rows",
    "2",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^stories260K.*\): reference, after 4 tokens$/m);
  assert.match(stdout, /^float32 +plain token +[\d.]+ \([\d.]+–[\d.]+\) +[\d.]+$/m);
  assert.match(stdout, /^ +2 +[\d.]+ \([\d.]+–[\d.]+\) +[\d.]+×$/m);
  assert.match(stdout, /medians of 1 turn.*\nprocessor .* · command hunch/);
});

test("a plugin's backend is timed in the formats that it offers, and who has nothing to offer says why", async () => {
  const plugin = ["--plugin", `${ROOT}docs/examples/counting.ts`, "--backend", "counting", "--rows", "4", "--json"];
  const { code, stdout, stderr } = await hunch([...PASSES, ...plugin]);
  assert.equal(code, 0, stderr);
  const { engine, bandwidth, formats } = JSON.parse(stdout) as Told;
  assert.deepEqual([engine, bandwidth, formats.map(({ format }) => format)], ["counting", undefined, ["float32"]]);
  const none = file(
    "none.ts",
    `export default { kind: "backend", name: "nothing", summary: "no format", create: () => ({ name: "nothing",
      offers: () => [{ format: "exact", refusal: "it has no hardware" }], load() {} }) };`,
  );
  const refused = await hunch([...PASSES, "--plugin", none, "--backend", "nothing"]);
  assert.deepEqual([refused.code, refused.stderr], [4, "hunch: it has no hardware\n"]);
});

test("where the time of a pass goes is told by operators, the dearest first", async () => {
  const { code, stdout, stderr } = await hunch([...PASSES, "--nodes", "--format", "float32", "--rows", "2", "--json"]);
  assert.equal(code, 0, stderr);
  const [{ format, rows, nodes }] = JSON.parse(stdout).formats as [
    { format: string; rows: number; nodes: ReturnType<typeof summed> },
  ];
  assert.deepEqual([format, rows], ["float32", 2]);
  const head = nodes.find(({ operator, columns }) => /MatMul/.test(operator) && columns === 512)!;
  assert.deepEqual([head.count, head.bytes], [1, 4 * 512 * 64], "the head, once, and its weights");
  assert.ok(nodes.every(({ ms, count }, i) => count > 0 && ms >= 0 && (i === 0 || ms <= nodes[i - 1].ms)));
  assert.ok(!nodes.some(({ operator }) => operator === "If"));
});

test("what cannot be measured is refused in one line", async () => {
  const refusals: [args: string[], code: number, line: RegExp][] = [
    [["--format", "int9"], 2, /--format: expected one of exact, int8, and float32, but got int9/],
    [["--rows", "0"], 2, /--rows cannot be "0"; give whole numbers from 1 on/],
    [["--rows", "1,x"], 2, /--rows cannot be "1,x"/],
    [["--rows", "200"], 2, /onnx:cpu has at most 64 rows in a pass, not 200; give --rows up to 64/],
    [["--rows", "65", "--nodes"], 2, /onnx:cpu has at most 64 rows in a pass, not 65/],
    [["--past", "500"], 2, /500 tokens and 32 behind them do not fit stories260K's context of 512/],
    [
      ["--nodes", "--backend", "reference"],
      2,
      /--nodes asks ONNX Runtime's profiler about onnx:cpu, not about reference/,
    ],
    [["--backend", "reference", "--format", "int8"], 4, /reference backend.* has no format int8/],
  ];
  for (const [args, code, line] of refusals) {
    const ended = await hunch([...PASSES, ...args], { cwd: FOLDER });
    assert.equal(ended.code, code, args.join(" "));
    assert.match(ended.stderr, line);
    assert.match(ended.stderr, /^hunch: [^\n]*\n$/);
  }
});

test("a shell completes it and its options", async () => {
  const { stdout } = await hunch(["completion", "bash", "bench", "passes", "--nod"]);
  assert.match(stdout, /^--nodes\n/);
  assert.match((await hunch(["completion", "bash", "bench", "pa"])).stdout, /^passes\n/);
});

test("the tables say what was measured", () => {
  const times = formatTimes("int8", { plain: [10, 20, 10], passes: [[10, 20, 10], [30, 40, 15]] }, [1, 4], 4e8, 5e10);
  assert.deepEqual(timesTable([times]), [
    ["format", "rows", "ms", "over 1 row", "GB/s", "of machine"],
    ["int8", "plain token", "10.00 (10.00–15.00)", "", "40.0", "80%"],
    ["", "1", "10.00 (10.00–15.00)", "1.00×"],
    ["", "4", "30.00 (22.50–35.00)", "2.00×"],
  ]);
  const node = (operator: string, ms: number, bytes = 0) => ({ operator, columns: 64, count: 2, bytes, ms });
  const many = Array.from({ length: 17 }, (_, i) => node(`Op${i}`, 1));
  const table = nodesTable({ format: "exact", rows: 1, nodes: [node("MatMul", 3, 6e7), ...many] }, 2e10);
  assert.deepEqual(table[1], ["MatMul → 64", "2", "3.000", "15.0%", "60.0", "20.0", "100%"]);
  assert.deepEqual(table.slice(-2), [
    ["all others", "4", "2.000", "10.0%"],
    ["all", "36", "20.000", "100.0%", "60.0", "3.0", "15%"],
  ]);
});

test("a Ctrl-C leaves the turns that are whole, the same for everybody", async () => {
  const stop = new AbortController();
  let asked = 0;
  const one = (ms: number) => ({
    plain: () => Promise.resolve([9, 9, 9, 9, ms, ms + 2]),
    passes: (rows: number) => {
      if (++asked === 7) stop.abort(); // in the second turn of two formats and two widths
      return Promise.resolve([99, rows * ms]);
    },
  });
  assert.deepEqual(await inTurns([one(1), one(10)], [1, 2], 3, { signal: stop.signal }), [
    { plain: [2], passes: [[1], [2]] },
    { plain: [11], passes: [[10], [20]] },
  ]);
});

test("a machine is called busy by the spread within formats, not between them", () => {
  assert.deepEqual(busyWarning([[10, 10.1, 10, 9.9], [50, 50, 51, 49]]), []);
  assert.match(busyWarning([[10, 15, 10, 14], [50, 50, 70, 49]])[0], /^the machine was busy/);
});

test("what is slow is repeated once, what is quick as often as was asked for", async () => {
  const engine = {
    maxRows: 8,
    open: () => ({ length: 0, forward: () => new Promise((resolve) => setTimeout(resolve, 2)) }),
  } as unknown as Engine;
  const place = { past: 0, token: spreadTokens(1000) };
  assert.equal((await new PassTimer(engine, 0).passes(place, 2, 5)).length, 2);
  assert.equal((await new PassTimer(engine).passes(place, 2, 5)).length, 5);
});

test("the memory is read by several threads", async () => {
  assert.ok(await readBandwidth(2, 2 ** 24, 2) > 0);
});

test("only the last passes count, and each group is the median of its sums", () => {
  const run = (ts: number) => ({ cat: "Session", name: "model_run", ts, dur: 100 });
  const node = (ts: number, dur: number, op_name = "Add") => ({
    cat: "Node",
    name: "n",
    ts,
    dur,
    args: { op_name, output_type_shape: [{ float: [1, 4] }] },
  });
  const events = [run(0), node(1, 90), run(200), node(201, 10), node(220, 20), node(215, 40, "If"), run(400)]
    .concat([node(401, 30), node(440, 20)]);
  const bytes = new Map([["n", 8]]);
  assert.deepEqual(summed(events, 2, bytes), [{ operator: "Add", columns: 4, count: 2, bytes: 16, ms: 0.04 }]);
});
