// `--backend webgpu` as people meet it: an answer, and one line with exit code 4 where the device cannot or will not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../../scripts/runtimes.ts";
import { lackOfGpu, softwareGpu } from "../kernels/support/gpu.ts";
import { because } from "../support/skip.ts";
import { type Ended, file, hunchProcess, STORIES } from "./support/cli.ts";

const skip = await lackOfGpu();

const hunch = (args: readonly string[], options: Parameters<typeof hunchProcess>[1] = {}) =>
  hunchProcess(["--model", STORIES, ...args], { ...options, env: { ...softwareGpu(), ...options.env } });
const PROMPT = "Once upon a time";

function failed({ code, stderr }: Ended, line: RegExp): void {
  assert.match(stderr, line);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  assert.equal(code, 4);
}

/** A plugin, which is loaded before the model is: what `code` does to the device happens to the engine. */
function sabotage(name: string, code: string): string {
  return file(
    `${name}.ts`,
    `import { Device } from "${ROOT}kernels/webgpu/device.ts";
import { findAdapter } from "${ROOT}kernels/webgpu/adapter.ts";
import { faultyAdapter } from "${ROOT}test/kernels/support/faulty-gpu.ts";
let device, rounds = 0;
${code}
const none = { tokens: new Int32Array(0), parents: new Int32Array(0), law: "point", q: () => undefined };
export default {
  kind: "drafter",
  name: "${name}",
  summary: "breaks the device",
  create: () => ({ name: "${name}", laws: ["point"], begin() {}, observe() {}, draft: () => (round(), none) }),
};
`,
  );
}

test("hunch --backend webgpu gives the answer of the reference engine", { skip }, async () => {
  const args = [PROMPT, "-n", "12", "--json"];
  const [webgpu, reference] = await Promise.all(
    ["webgpu", "reference"].map((name) => hunch([...args, "--backend", name])),
  );
  assert.equal(webgpu.stderr, "");
  assert.equal(webgpu.code, 0);
  assert.equal(JSON.parse(webgpu.stdout).text, JSON.parse(reference.stdout).text);
});

test("text from a pipe is answered into a pipe", { skip }, async () => {
  const { code, stdout, stderr } = await hunch(["--backend", "webgpu", "-n", "4"], { input: `${PROMPT}\n` });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(stdout.length > 0);
});

test("Ctrl-C in the middle shows the summary and exits with 130", { skip }, async () => {
  let sent = false;
  const { code, stdout, stderr } = await hunch(
    ["--backend", "webgpu", PROMPT, "-n", "480", "--summary", "--stop", "\u0001"],
    {
      watch: (child) => {
        if (!sent) child.kill("SIGINT");
        sent = true;
      },
    },
  );
  assert.equal(code, 130);
  assert.ok(stdout.length > 0);
  assert.match(stderr, /interrupted/);
});

test("a device that is lost in the middle ends the answer with one line", { skip }, async () => {
  const plugin = sabotage(
    "loser",
    `const round = () => { if (++rounds === 4) device.gpu.destroy(); };
device = await Device.open(await findAdapter(undefined, ""));`,
  );
  const ended = await hunch(["--backend", "webgpu", "--plugin", plugin, "--drafter", "loser", PROMPT, "-n", "20"]);
  failed(ended, /^hunch: the graphics device was lost: .*--backend onnx$/m);
  assert.ok(ended.stdout.length > 0, "what was said before the loss");
});

test("a model that is too large for the device is told in one line", { skip }, async () => {
  const plugin = sabotage(
    "hoarder",
    `const round = () => {};
device = await Device.open((await faultyAdapter((label) => label.includes("feedForward"))).found);`,
  );
  const ended = await hunch(["--backend", "webgpu", "--plugin", plugin, "--drafter", "hoarder", PROMPT, "-n", "20"]);
  failed(
    ended,
    /^hunch: the graphics device has no memory left for .*feedForward.*; .*: use a smaller model or context/,
  );
  assert.equal(ended.stdout, "");
});

test("without a driver there is one line, which says what Dawn misses", {
  skip: process.platform === "linux" ? false : because("only Vulkan's drivers can be hidden"),
}, async () => {
  const env = { VK_DRIVER_FILES: "/nowhere", VK_ICD_FILENAMES: "/nowhere" };
  failed(
    await hunch(["--backend", "webgpu:dawn", PROMPT], { env }),
    /^hunch: there is no WebGPU adapter here \(dawn: no adapter: \w.*\); install a Vulkan driver/,
  );
});

test("a provider that does not exist is a wrong option, and the answer names those there are", async () => {
  const { code, stderr } = await hunch(["--backend", "webgpu:metal", PROMPT]);
  assert.equal(stderr, "hunch: there is no WebGPU provider metal; use one of dawn, builtin\n");
  assert.equal(code, 2);
});
