// hunch claims: every claim has its paper, those about rules come out as theory has it, and a rule that keeps less is seen
// to keep less.
import { test } from "node:test";
import assert from "node:assert/strict";
import { type FailureKind, HunchError } from "../../src/errors.ts";
import type { Finding, Testable } from "../../cli/claims/claim.ts";
import { put } from "../../cli/claims/claims.ts";
import { Ground } from "../../cli/claims/ground.ts";
import { CLAIMS } from "../../cli/claims/list.ts";
import { openRegistry } from "../../cli/engine/methods.ts";
import { hunch, STORIES } from "./support/cli.ts";

const ground = async () => new Ground(await openRegistry([]), undefined as never, [], () => {});
/** Answers of a drafter with speeds that are given, by kind of work. */
const answersOf = (speeds: Readonly<Record<string, number>>) => ({
  kinds: Object.keys(speeds),
  speedup: Object.values(speeds).reduce((a, b) => a + b, 0),
  of: (kind: string) => ({ speedup: speeds[kind] }),
});
const testable = (id: string) => CLAIMS.find((claim) => claim.id === id) as Testable;

test("there are at least 30 claims, each with its paper, its figure, and an experiment or a reason", () => {
  assert.ok(CLAIMS.length >= 30);
  assert.equal(new Set(CLAIMS.map(({ id }) => id)).size, CLAIMS.length);
  for (const claim of CLAIMS) {
    assert.match(claim.paper.arxiv ?? "", /^\d{4}\.\d{5}$/, claim.id);
    assert.ok(claim.published.length > 0 && claim.claim.length > 0, claim.id);
    assert.ok("test" in claim || claim.because.startsWith("it takes "), claim.id);
  }
  // What a proof settles is called so: its experiment tests hunch.
  const proven = CLAIMS.filter((claim) => "proven" in claim).map(({ id }) => id);
  assert.ok(["overlap", "block", "same-text", "divergence-bound"].every((id) => proven.includes(id)));
  const { title } = CLAIMS.find(({ id }) => id === "kinds-of-work")!.paper;
  assert.match(title, /A Comprehensive Survey of Speculative Decoding$/);
});

test("a model or a backend that is none is refused before anything is tried", async () => {
  for (
    const [args, line] of [[["-m", "junk"], /no such model file/], [
      ["--backend", "junk"],
      /no backend "junk"/,
    ]] as const
  ) {
    const { code, stdout, stderr } = await hunch(["claims", "overlap", ...args]);
    assert.ok(code !== 0 && stdout === "", stdout);
    assert.match(stderr, line);
  }
});

test("what is proven comes out so", async () => {
  const on = await ground();
  for (
    const id of ["overlap", "length-law", "block", "without-replacement", "bound-not-reached", "k-seq", "importance"]
  ) {
    const { ours, holds }: Finding = await testable(id).test(on);
    assert.ok(holds, `${id}: ${ours}`);
    assert.doesNotMatch(ours, /NaN|undefined/);
  }
});

test("an experiment can say no: with the rules the other way round, block keeps less than token", async () => {
  const on = await ground();
  const turned = Object.assign(Object.create(on) as Ground, {
    exact: (spec: string, cases: Parameters<Ground["exact"]>[1]) =>
      on.exact(spec === "block" ? "token" : "block", cases),
  });
  const { ours, holds } = await testable("block").test(turned);
  assert.ok(!holds && ours.startsWith("−"), ours);
});

test("the command lists them, tests one, and knows no others", async () => {
  const [list, one, none] = await Promise.all([
    hunch(["claims", "--list"]),
    hunch(["claims", "divergence-bound", "judge", "--json"]),
    hunch(["claims", "blok"]),
  ]);
  assert.equal(list.stdout.trim().split("\n").length, CLAIMS.length);
  const { claims } = JSON.parse(one.stdout) as { claims: { verdict: string; ours: string }[] };
  assert.deepEqual(claims.map(({ verdict }) => verdict), ["holds", "cannot be tested here"]);
  assert.match(claims[1].ours, /^because it takes a judge taught by people/);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is no claim "blok".*did you mean block\?/);
});

test("a length is not best by a hair, and experiments follow each other", async () => {
  let running = 0;
  const on = (a: number, b: number) =>
    ({
      async answers(_: string, controller: string) {
        assert.equal(running++, 0, "one at a time");
        await new Promise((resolve) => setTimeout(resolve));
        running--;
        return answersOf(controller === "fixed?nodes=5" ? { x: 2, y: a } : { x: 1, y: b });
      },
    }) as unknown as Ground;
  assert.equal((await testable("best-length").test(on(1, 1.01))).holds, false);
  assert.equal((await testable("best-length").test(on(1, 1.2))).holds, true);
});

test("claims about costs come out by the costs: flat passes pay from the drafter's share on, a quick drafter may win", async () => {
  const layers = { length: 30 };
  const engine = (cost: (rows: number) => number) => () => Promise.resolve({ cost, source: { spec: { layers } } });
  const breakEven = async (cost: (rows: number) => number) =>
    (await testable("break-even").test({ engine: engine(cost) } as unknown as Ground)).holds;
  assert.deepEqual([await breakEven(() => 10), await breakEven((rows) => 10 + rows)], [true, false]);
  const latency = async (quick: number, skilled: number) => {
    const answers = (drafter: string) =>
      Promise.resolve({ accepted: 0.5, speedup: drafter.includes("=11-18&") ? quick : skilled });
    return await testable("draft-latency").test({ engine: engine(() => 1), answers } as unknown as Ground);
  };
  assert.deepEqual([(await latency(2, 1)).holds, (await latency(1, 2)).holds], [true, false]);
  assert.match((await latency(2, 1)).ours, /without 8 of its 30 layers: 50\.0% kept, 2\.00×; without one/);
});

test("what the machine lacks cannot be tested, a file that is broken is no verdict", async () => {
  const failing = (kind: FailureKind): Testable => ({
    ...testable("block"),
    test: () => Promise.reject(new HunchError(kind, "no")),
  });
  assert.equal((await put(failing("unavailable"), await ground())).verdict, "cannot be tested here");
  await assert.rejects(put(failing("input"), await ground()), HunchError);
});

test("which tokens are frequent is not read from a vocabulary in another order", async () => {
  const { stdout } = await hunch(
    ["claims", "frequent-tokens", "-m", STORIES, "--backend", "onnx", "--prompts", "1", "-n", "8", "--json"],
  );
  const { claims } = JSON.parse(stdout) as { claims: { verdict: string }[] };
  assert.deepEqual(claims.map(({ verdict }) => verdict), ["cannot be tested here"]);
});

test("a model that does not run here is no verdict on any claim", async () => {
  const { code, stdout, stderr } = await hunch(["claims", "memory-bound", "-m", STORIES, "--backend", "onnx:qnn"]);
  assert.equal(code, 2);
  assert.match(stderr, /there is no execution provider qnn/);
  assert.doesNotMatch(stdout, /cannot be tested/);
});
