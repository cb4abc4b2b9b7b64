// --device and --backend: where target and draft model compute, and that it changes no word.
import { test } from "node:test";
import assert from "node:assert/strict";
import { devicesOf } from "../../cli/engine/device.ts";
import { hunch, STORIES, STORIES_DRAFT } from "./support/cli.ts";

const ASK = ["--model", STORIES, "Once upon a time", "-n", "24", "--drafter", `model:${STORIES_DRAFT}`];

test("target and draft model may run on different backends, and the greedy text is the same in all combinations", async () => {
  const answers: {
    tokens: number[];
    draftEngines: string[];
    stats: { drafted: number; method: { engine: string } };
  }[] = [];
  const format = ["--format", "float32", "--controller", "fixed?nodes=4"];
  for (const target of ["reference", "onnx"]) {
    for (const draft of ["reference", "onnx"]) {
      const { code, stdout, stderr } = await hunch(
        [...ASK, ...format, "--json", "--device", `draft=${draft},target=${target}`],
      );
      assert.equal(code, 0, stderr);
      const answer = JSON.parse(stdout);
      assert.match(answer.stats.method.engine, new RegExp(`^${target}`));
      assert.equal(answer.draftEngines.length, 1);
      assert.match(answer.draftEngines[0], new RegExp(`^${draft}`));
      assert.ok(answer.stats.drafted > 0);
      answers.push(answer);
    }
  }
  for (const { tokens } of answers) assert.deepEqual(tokens, answers[0].tokens);
});

test("the summary names both engines, and --debug what auto came to", async () => {
  const { code, stderr } = await hunch([...ASK, "--summary", "--debug", "--device", "draft=reference"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^hunch: auto chose \S+: \S+/m);
  assert.match(stderr, /, drafts on reference\S* \w+ · lossless/);
});

test("an impossible --device is refused in one line before anything is opened", async () => {
  const { code, stdout, stderr } = await hunch([...ASK, "--backend", "onnx", "--device", "target=reference"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^hunch: --backend onnx and --device target=reference contradict each other[^\n]*\n$/);
});

test("either part of --device may be missing, and --backend stands for the target", () => {
  assert.deepEqual(devicesOf(undefined, "onnx"), { target: "onnx", draft: "onnx" });
  assert.deepEqual(devicesOf("draft=onnx", "webgpu"), { target: "webgpu", draft: "onnx" });
  assert.deepEqual(devicesOf("target=onnx:cuda", "auto"), { target: "onnx:cuda", draft: "onnx:cuda" });
  assert.deepEqual(devicesOf("target=webgpu, draft=onnx:cpu", "webgpu"), { target: "webgpu", draft: "onnx:cpu" });
  for (const wrong of ["", "onnx", "draft", "draft=", "who=onnx", "draft=onnx,", "draft=onnx,draft=webgpu"]) {
    assert.throws(() => devicesOf(wrong, "auto"), { name: "HunchError", kind: "usage" }, wrong);
  }
});
