// The claims, one object each: about rules on drawn distributions, about drafters on the model at hand, and those that
// need what hunch or this machine does not have. Figures are those of the papers' abstracts.
import { HunchError } from "../../src/errors.ts";
import { divergence, overlap } from "../../src/math/distribution.ts";
import { breakEven } from "../simulate/forecast.ts";
import { drawnCases } from "./cases.ts";
import type { Claim, Finding } from "./claim.ts";
import type { Answers, Ground } from "./ground.ts";

const CHAIN = [-1, 0, 1], PAIR_OF_CHAINS = [-1, -1, 0, 1], DRAWS = "40,000 draws at 100 places";
const COPYING = ["summarisation", "code edits", "BFCL calls"], OPEN = ["MT-Bench", "question answering"];
const FIXED = [1, 2, 3, 5, 8].map((nodes) => `fixed?nodes=${nodes}`);

/** What is not better by so much is not better: prompts are few. */
const MARGIN = 1.05;

const times = (value: number) => `${value.toFixed(2)}×`;
const share = (value: number) => `${(100 * value).toFixed(1)}%`;
const change = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(100 * value).toFixed(0)}%`;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Expected accepted tokens of two rules on the same cases: how much more the first keeps, and whether it never keeps less. */
async function keepsMore(ground: Ground, better: string, worse: string, parents: readonly number[]): Promise<Finding> {
  const cases = drawnCases(parents, "iid");
  const [a, b] = [await ground.exact(better, cases), await ground.exact(worse, cases)];
  const least = Math.min(...a.map(({ accepted }, i) => accepted - b[i].accepted));
  const gain = mean(a.map(({ accepted }) => accepted)) / mean(b.map(({ accepted }) => accepted)) - 1;
  return {
    ours: `${change(gain)} on ${cases.length} cases, exactly; least difference ${least.toFixed(4)}`,
    holds: least > -1e-9 && gain > 0,
  };
}

function faster(name: string, a: Answers, other: string, b: Answers): Finding {
  const ratio = a.speedup / b.speedup;
  return {
    ours: `${name} ${times(a.speedup)}, ${other} ${times(b.speedup)} plain by the cost curve`,
    holds: ratio >= MARGIN,
  };
}

export const CLAIMS: readonly Claim[] = [
  {
    id: "overlap",
    proven: true,
    claim: "a draft token is accepted with probability Σ min(p, q)",
    paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2023, arxiv: "2211.17192" },
    published: "α = 1 − ½ Σ |p − q|",
    async test(ground) {
      const kept = await ground.kept("token", "iid", 1);
      const expected = mean(ground.places.map(({ p, q }) => overlap(p, q)));
      return {
        ours: `kept ${share(kept)}, overlap ${share(expected)}, ${DRAWS}`,
        holds: Math.abs(kept - expected) < 0.01,
      };
    },
  },
  {
    id: "length-law",
    proven: true,
    claim: "with acceptance α a draft of n tokens brings (1 − αⁿ⁺¹)/(1 − α) tokens a pass",
    paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2023, arxiv: "2211.17192" },
    published: "an equation",
    async test(ground) {
      const row = { p: [0.5, 0.3, 0.2], q: [0.2, 0.3, 0.5] }; // the same everywhere: α = 0.7
      const contexts = (count: number, values: number[]) => Array.from({ length: count }, () => values);
      const [{ accepted }] = await ground.exact("token", [{
        ...{ kind: "constant", vocab: 3, law: "iid", parents: CHAIN, sparse: false },
        ...{ p: contexts(40, row.p), q: contexts(13, row.q) },
      }]);
      const expected = (1 - 0.7 ** 4) / 0.3;
      return {
        ours: `${(accepted + 1).toFixed(6)} tokens, by the law ${expected.toFixed(6)}`,
        holds: Math.abs(accepted + 1 - expected) < 1e-9,
      };
    },
  },
  {
    id: "block",
    proven: true,
    claim: "block verification keeps at least as much as token verification",
    paper: { title: "Block Verification Accelerates Speculative Decoding", year: 2024, arxiv: "2403.10444" },
    published: "5–8% faster by the clock",
    test: (ground) => keepsMore(ground, "block", "token", CHAIN),
  },
  {
    id: "traversal",
    claim: "judging a tree from its leaves keeps at least as much as from its root",
    paper: { title: "Traversal Verification for Speculative Tree Decoding", year: 2025, arxiv: "2505.12398" },
    published: "2.2–5.7% more accepted tokens",
    test: (ground) => keepsMore(ground, "traversal", "recursive", PAIR_OF_CHAINS),
  },
  {
    id: "optimal-transport-lags",
    claim: "on trees, traversal keeps more than rules that are optimal place by place",
    paper: {
      title: "Dynamic Delayed Tree Expansion For Improved Multi-Path Speculative Decoding",
      year: 2026,
      arxiv: "2602.16994",
    },
    published: "traversal dominates, rules by optimal transport lag far behind",
    test: (ground) => keepsMore(ground, "traversal", "optimal-transport", PAIR_OF_CHAINS),
  },
  {
    id: "without-replacement",
    claim: "candidates drawn without replacement can be kept more often than those drawn with it",
    paper: { title: "Towards Optimal Multi-draft Speculative Decoding", year: 2025, arxiv: "2502.18779" },
    published: "without replacement beats with",
    test(ground) {
      const [less, more] = [ground.bound("iid", 3), ground.bound("distinct", 3)];
      return {
        ours: `most that 3 can be kept: ${share(less)} with, ${share(more)} without; 100 places`,
        holds: more > less,
      };
    },
  },
  {
    id: "bound-not-reached",
    claim: "recursive rejection sampling does not reach the optimal acceptance rate",
    paper: { title: "Towards Optimal Multi-draft Speculative Decoding", year: 2025, arxiv: "2502.18779" },
    published: "existing rules do not reach the bound",
    async test(ground) {
      const [kept, bound] = [await ground.kept("recursive", "distinct", 3), ground.bound("distinct", 3)];
      return { ours: `keeps ${share(kept)} of 3, the bound is ${share(bound)}; ${DRAWS}`, holds: kept < bound - 0.005 };
    },
  },
  {
    id: "k-seq",
    proven: true,
    claim: "k-sequential selection is within 1 − 1/e of the optimal acceptance",
    paper: { title: "SpecTr: Fast Speculative Decoding via Optimal Transport", year: 2023, arxiv: "2310.15141" },
    published: "at least 63.2% of the optimum",
    async test(ground) {
      const ratio = await ground.kept("k-seq", "iid", 4) / ground.bound("iid", 4);
      return { ours: `${share(ratio)} of the optimum for 4 drafts; ${DRAWS}`, holds: ratio >= 1 - 1 / Math.E };
    },
  },
  {
    id: "transport-optimal",
    proven: true,
    claim: "solving the optimal transport reaches the bound",
    paper: { title: "SpecTr: Fast Speculative Decoding via Optimal Transport", year: 2023, arxiv: "2310.15141" },
    published: "optimal, at an exponential price",
    async test(ground) {
      const [kept, bound] = [await ground.kept("optimal-transport", "iid", 2, 4000), ground.bound("iid", 2)];
      return {
        ours: `keeps ${share(kept)} of 2, the bound is ${share(bound)}; 4,000 draws at 100 places`,
        holds: Math.abs(kept - bound) < 0.02,
      };
    },
  },
  {
    id: "importance",
    proven: true,
    claim: "an importance-weighted choice before single-draft verification is optimal for two drafts",
    paper: {
      title: "Multi-Draft Speculative Sampling: Canonical Decomposition and Theoretical Limits",
      year: 2024,
      arxiv: "2410.18234",
    },
    published: "optimal for two identical drafters",
    async test(ground) {
      const [kept, bound] = [await ground.kept("importance", "iid", 2), ground.bound("iid", 2)];
      return { ours: `keeps ${share(kept)}, the bound is ${share(bound)}; ${DRAWS}`, holds: kept > bound - 0.01 };
    },
  },
  {
    id: "spechub",
    claim: "SpecHub keeps more of two drafts than recursive rejection sampling",
    paper: {
      title: "SpecHub: Provable Acceleration to Multi-Draft Speculative Decoding",
      year: 2024,
      arxiv: "2411.05289",
    },
    published: "0.02–0.16 more tokens a step than without replacement",
    async test(ground) {
      const [hub, recursive] = [
        await ground.kept("spechub", "top-and-one", 2),
        await ground.kept("recursive", "distinct", 2),
      ];
      return {
        ours: `${share(hub)}, recursive without replacement ${share(recursive)}; ${DRAWS}`,
        holds: hub > recursive,
      };
    },
  },
  {
    id: "more-candidates",
    claim: "more candidates at a place raise its acceptance",
    paper: { title: "Multi-Candidate Speculative Decoding", year: 2024, arxiv: "2401.06706" },
    published: "significant improvements in acceptance rates",
    async test(ground) {
      const kept: number[] = [];
      for (const n of [1, 2, 3, 4]) kept.push(await ground.kept("recursive", "distinct", n));
      const grows = kept.every((value, i) => i === 0 || value > kept[i - 1]);
      return { ours: `1, 2, 3, 4 candidates: ${kept.map(share).join(", ")}; ${DRAWS}`, holds: grows };
    },
  },
  {
    id: "recursive-trees",
    claim: "trees drawn without replacement beat those drawn with it, under the rule for them",
    paper: { title: "Recursive Speculative Decoding", year: 2024, arxiv: "2402.14160" },
    published: "beats baselines for fixed draft length",
    async test(ground) {
      const accepted = async (law: "iid" | "distinct") =>
        mean((await ground.exact("recursive", drawnCases(PAIR_OF_CHAINS, law))).map(({ accepted }) => accepted));
      const [less, more] = [await accepted("iid"), await accepted("distinct")];
      return {
        ours: `${more.toFixed(3)} tokens without, ${less.toFixed(3)} with replacement, 20 cases exactly`,
        holds: more > less,
      };
    },
  },
  {
    id: "typical",
    claim: "typical acceptance keeps more than lossless verification, and changes what is said",
    paper: { title: "Medusa: Simple LLM Inference Acceleration Framework", year: 2024, arxiv: "2401.10774" },
    published: "a higher acceptance rate at the same quality; no figure of it alone in the abstract",
    async test(ground) {
      const cases = drawnCases(CHAIN, "iid");
      const [typical, token] = [await ground.exact("typical", cases), await ground.exact("token", cases)];
      const [a, b] = [typical, token].map((all) => mean(all.map(({ accepted }) => accepted)));
      const far = mean(typical.map(({ totalVariation }) => totalVariation));
      return {
        ours: `${a.toFixed(2)} tokens, lossless ${b.toFixed(2)}; total variation ${far.toFixed(2)}`,
        holds: a > b && far > 0.01,
      };
    },
  },
  {
    id: "divergence-bound",
    proven: true,
    claim: "how near the draft is to the target bounds its acceptance from below",
    paper: { title: "Draft Model Knows When to Stop (SVIP)", year: 2024, arxiv: "2411.18462" },
    published: "a lower bound on the acceptance rate",
    test(ground) {
      const slack = ground.places.map(({ p, q }) => overlap(p, q) - (1 - Math.sqrt(divergence(p, q) / 2)));
      return {
        ours: `acceptance is at least ${Math.min(...slack).toFixed(3)} above 1 − √(KL/2) at 100 places`,
        holds: Math.min(...slack) >= 0,
      };
    },
  },
  {
    id: "draft-latency",
    claim: "a drafter's latency decides, not its skill",
    paper: { title: "Decoding Speculative Decoding", year: 2024, arxiv: "2402.01528" },
    published: "60% more throughput from a drafter that is faster, not better",
    async test(ground) {
      const { layers } = (await ground.engine()).source.spec;
      const without = async (count: number) => {
        const first = Math.floor((layers.length - count) / 2);
        const which = count > 1 ? `${first}-${first + count - 1}` : `${first}`;
        return await ground.answers(`skip?attention=${which}&feedForward=${which}`, "fixed?nodes=3");
      };
      const quarter = Math.max(2, Math.round(layers.length / 4));
      const [quick, skilled] = [await without(quarter), await without(1)];
      const told = ({ accepted, speedup }: Answers) => `${share(accepted)} kept, ${times(speedup)}`;
      return {
        ours: `the target drafts without ${quarter} of its ${layers.length} layers: ${told(quick)}; without one: ` +
          `${told(skilled)} plain by the cost curve`,
        holds: quick.speedup > skilled.speedup,
      };
    },
  },
  {
    id: "memory-bound",
    claim: "a pass over several tokens takes about as long as over one",
    paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2023, arxiv: "2211.17192" },
    published: "the same time, where memory bandwidth is the bottleneck",
    async test(ground) {
      const engine = await ground.engine();
      const ratio = engine.cost(8) / engine.cost(1);
      return {
        ours: `8 rows take ${times(ratio)} as long as one in ${engine.format} on ${engine.name}`,
        holds: ratio < 1.25,
      };
    },
  },
  {
    id: "break-even",
    claim: "drafting pays wherever acceptance is greater than the drafter's share of a pass",
    paper: { title: "Fast Inference from Transformers via Speculative Decoding", year: 2023, arxiv: "2211.17192" },
    published: "α > c (corollary 3.9), for passes that all take the same time",
    async test(ground) {
      const engine = await ground.engine();
      const least = breakEven({ acceptance: [0], draftMs: 0.3 * engine.cost(1) }, (rows) => engine.cost(rows), 16);
      return {
        ours: `c = 30%: pays from ${least === undefined ? "never" : share(least)} on, with what rows cost here`,
        holds: least !== undefined && least <= MARGIN * 0.3,
      };
    },
  },
  {
    id: "same-text",
    proven: true,
    claim: "greedy text with drafts is the text without them",
    paper: {
      title: "Accelerating Large Language Model Decoding with Speculative Sampling",
      year: 2023,
      arxiv: "2302.01318",
    },
    published: "the same distribution, within hardware numerics",
    async test(ground) {
      const all = [await ground.answers("lookup"), await ground.answers("recycling"), await ground.answers("suffix")];
      return {
        ours: `${all.reduce((sum, { answers }) => sum + answers, 0)} answers of three drafters, token for token`,
        holds: all.every(({ sameText }) => sameText),
      };
    },
  },
  {
    id: "kinds-of-work",
    claim: "what prompt lookup brings depends on how much of the prompt comes back",
    paper: {
      title: "Unlocking Efficiency in Large Language Model Inference: A Comprehensive Survey of Speculative Decoding",
      year: 2024,
      arxiv: "2401.07851",
    },
    published: "best on summarisation, little on translation and open questions",
    async test(ground) {
      const lookup = await ground.answers("lookup");
      const [copying, open] = [lookup.of(...COPYING).tokensPerPass, lookup.of(...OPEN).tokensPerPass];
      return {
        ours: `${copying.toFixed(2)} tokens per pass where text comes back, ${open.toFixed(2)} where not`,
        holds: copying >= MARGIN * open,
      };
    },
  },
  {
    id: "best-length",
    claim: "the best draft length differs by kind of work",
    paper: {
      title: "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
      year: 2024,
      arxiv: "2406.14066",
    },
    published: "length per request, up to 3.2× lower latency",
    async test(ground) {
      const all: (readonly [string, Answers])[] = [];
      for (const controller of FIXED) all.push([controller, await ground.answers("lookup", controller)]);
      const bestOf = (answers: (own: Answers) => Answers) =>
        all.reduce((best, other) => answers(other[1]).speedup > answers(best[1]).speedup ? other : best);
      const [overall, one] = bestOf((own) => own);
      const kinds = one.kinds.map((kind) => {
        const [controller, own] = bestOf((answers) => answers.of(kind));
        return { nodes: controller.replace("fixed?nodes=", ""), gain: own.of(kind).speedup / one.of(kind).speedup };
      });
      const most = Math.max(...kinds.map(({ gain }) => gain));
      return {
        ours: `best of 1, 2, 3, 5, 8 by kind: ${kinds.map(({ nodes }) => nodes).join(", ")}; ${
          change(most - 1)
        } at most over ${overall.replace("fixed?nodes=", "")}, the best for all`,
        holds: most >= MARGIN,
      };
    },
  },
  {
    id: "goodput",
    claim: "choosing the length by goodput beats a fixed length",
    paper: {
      title: "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
      year: 2024,
      arxiv: "2406.14066",
    },
    published: "up to 3.2× lower average latency",
    async test(ground) {
      const own = await ground.answers("lookup", "goodput");
      const fixed: number[] = [];
      for (const controller of FIXED) fixed.push((await ground.answers("lookup", controller)).speedup);
      return {
        ours: `${times(own.speedup)} for one request at a time; fixed lengths 1, 2, 3, 5, 8: ${
          fixed.map(times).join(", ")
        }`,
        holds: own.speedup > Math.max(...fixed),
      };
    },
  },
  {
    id: "thompson",
    claim: "Thompson sampling finds the length without being told",
    paper: {
      title: "Speculative Decoding via Early-exiting for Faster LLM Inference with Thompson Sampling",
      year: 2024,
      arxiv: "2406.03853",
    },
    published: "no number in the abstract",
    async test(ground) {
      const bandit = await ground.answers("lookup", "bandit");
      const fixed: number[] = [];
      for (const controller of FIXED) fixed.push((await ground.answers("lookup", controller)).speedup);
      return {
        ours: `${times(bandit.speedup)}, the best fixed length ${times(Math.max(...fixed))}`,
        holds: bandit.speedup > 0.95 * Math.max(...fixed),
      };
    },
  },
  {
    id: "token-recycling",
    claim: "recycling the target's own candidates doubles the speed",
    paper: {
      title: "Turning Trash into Treasure: Accelerating Inference of LLMs with Token Recycling",
      year: 2024,
      arxiv: "2408.08696",
    },
    published: "about 2× on all sizes",
    async test(ground) {
      const own = await ground.answers("recycling", "fixed?nodes=16");
      return {
        ours: `${own.tokensPerPass.toFixed(2)} tokens per pass, ${times(own.speedup)} by the cost curve`,
        holds: own.speedup >= 1.9,
      };
    },
  },
  {
    id: "recycling-over-lookup",
    claim: "token recycling beats other drafters without training",
    paper: {
      title: "Turning Trash into Treasure: Accelerating Inference of LLMs with Token Recycling",
      year: 2024,
      arxiv: "2408.08696",
    },
    published: "+30%",
    test: async (ground) =>
      faster("recycling", await ground.answers("recycling"), "lookup", await ground.answers("lookup")),
  },
  {
    id: "hierarchy",
    claim: "asking sources from the nearest to the farthest beats one of them",
    paper: {
      title: "Lossless Acceleration of LLMs with Hierarchical Drafting based on Temporal Locality",
      year: 2025,
      arxiv: "2502.05609",
    },
    published: "outperforms drafters from databases on Spec-Bench",
    test: async (ground) =>
      faster("hierarchy", await ground.answers("hierarchy"), "lookup", await ground.answers("lookup")),
  },
  {
    id: "trigram",
    claim: "a tri-gram matrix that follows the text accelerates decoding",
    paper: {
      title: "Adaptive Draft-Verification for Efficient Large Language Model Decoding",
      year: 2024,
      arxiv: "2407.12021",
    },
    published: "no number in the abstract",
    async test(ground) {
      const { speedup } = await ground.answers("trigram");
      return { ours: `${times(speedup)} by the cost curve`, holds: speedup >= MARGIN };
    },
  },
  {
    id: "spine",
    proven: true,
    claim: "a spine with branches is accepted at least as far as its spine alone",
    paper: {
      title: "Goose: Anisotropic Speculation Trees for Training-Free Speculative Decoding",
      year: 2026,
      arxiv: "2604.02047",
    },
    published: "proven",
    async test(ground) {
      const [spine, lookup] = [
        await ground.answers("spine", "fixed?nodes=16"),
        await ground.answers("lookup", "fixed?nodes=16"),
      ];
      return {
        ours: `${spine.tokensPerPass.toFixed(2)} tokens per pass, its spine alone ${lookup.tokensPerPass.toFixed(2)}`,
        holds: spine.tokensPerPass >= 0.995 * lookup.tokensPerPass,
      };
    },
  },
  {
    id: "frequent-tokens",
    claim: "a quarter of the vocabulary makes up nearly all of what is said",
    paper: {
      title: "FR-Spec: Accelerating Large-Vocabulary Language Models via Frequency-Ranked Speculative Sampling",
      year: 2025,
      arxiv: "2502.14856",
    },
    published: "75% less work in the head",
    async test(ground) {
      const { spec, tokenizer } = (await ground.engine()).source;
      if (tokenizer.kind !== "byte-level BPE") {
        // SentencePiece's first tokens are bytes, and its characters stand last.
        throw new HunchError("unavailable", "it takes a vocabulary in the order of merges, of byte-level BPE");
      }
      const said = (await ground.texts()).flatMap((text) => [...text]);
      const within = said.filter((token) => token < spec.vocab / 4).length / said.length;
      return {
        ours: `${
          share(within)
        } of ${said.length} tokens are among the first quarter, by the order of the tokenizer's merges`,
        holds: within > 0.9,
      };
    },
  },
  ...untestable("a trained head for the target, of which there is none for this model", [
    [
      "medusa",
      "heads on the hidden states predict several tokens",
      "Medusa: Simple LLM Inference Acceleration Framework",
      2024,
      "2401.10774",
      "2.3–3.6×",
    ],
    [
      "hydra",
      "heads that see drafted tokens beat those that do not",
      "Hydra: Sequentially-Dependent Draft Heads for Medusa Decoding",
      2024,
      "2402.05109",
      "1.31× Medusa",
    ],
    [
      "eagle-2",
      "draft confidence orders a tree as acceptance would",
      "EAGLE-2: Faster Inference of Language Models with Dynamic Draft Trees",
      2024,
      "2406.16858",
      "20–40% faster than EAGLE-1",
    ],
    [
      "kangaroo",
      "early exit with an adapter drafts for its own model",
      "Kangaroo: Lossless Self-Speculative Decoding via Double Early Exiting",
      2024,
      "2404.18911",
      "up to 1.68×",
    ],
  ]),
  ...untestable("a judge taught by people's marks; the default model's is taught by its own drafts (docs/rules.md)", [
    [
      "judge",
      "a trained judge keeps what is right but not aligned",
      "Judge Decoding: Faster Speculative Sampling Requires Going Beyond Model Alignment",
      2025,
      "2501.19309",
      "9× for 8B/405B",
    ],
  ]),
  ...untestable("the paper's own network, trained on profiles of its models", [
    [
      "speckv-gamma",
      "a small network that chooses γ brings more tokens a step than γ = 4",
      "SpecKV: Adaptive Speculative Decoding with Compression-Aware Gamma Selection",
      2026,
      "2605.02888",
      "+56.0% tokens per step",
    ],
  ]),
  ...untestable("a draft model beside a target in several formats; what copies text is no such", [
    [
      "compression",
      "acceptance falls with compression of the target",
      "SpecKV: Adaptive Speculative Decoding with Compression-Aware Gamma Selection",
      2026,
      "2605.02888",
      "acceptance differs between FP16, INT8 and NF4",
    ],
  ]),
  ...untestable("agents that come back to what they said before", [
    [
      "suffix",
      "suffix trees beat token recycling where text repeats",
      "SuffixDecoding: Extreme Speculative Decoding for Emerging AI Applications",
      2024,
      "2411.04975",
      "1.9× token recycling on agents",
    ],
  ]),
  ...untestable("a balanced tree of the same two sources, which no drafter draws", [
    [
      "spine-over-balanced",
      "a spine beats a balanced tree at the same number of nodes",
      "Goose: Anisotropic Speculation Trees for Training-Free Speculative Decoding",
      2026,
      "2604.02047",
      "+12–33%",
    ],
  ]),
  ...untestable("a draft head that goes on from its own features; drafts that copy get better with their depth", [
    [
      "deeper-is-worse",
      "the deeper a token stands in a draft, the less often it is kept",
      "POSS: Position Specialist Generates Better Draft for Speculative Decoding",
      2025,
      "2506.03566",
      "quality falls at later positions",
    ],
  ]),
  ...untestable("a diffusion model, which hunch cannot run", [
    [
      "specdiff",
      "a diffusion model drafts all positions at once",
      "Speculative Diffusion Decoding",
      2024,
      "2408.05636",
      "up to 8.7×",
    ],
    [
      "diffuspec",
      "a pretrained diffusion model drafts without training",
      "DiffuSpec: Unlocking Diffusion Language Models for Speculative Decoding",
      2025,
      "2510.02358",
      "up to 3×",
    ],
  ]),
  ...untestable("several requests at once, and hunch answers one", [
    [
      "fixed-can-lose",
      "a fixed draft length can make answers slower than plain decoding",
      "Optimizing Speculative Decoding for Serving Large Language Models Using Goodput",
      2024,
      "2406.14066",
      "fixed lengths raise latency under load",
    ],
    [
      "batch",
      "batched speculation needs realignment, 40% of the overhead",
      "Batch Speculative Decoding Done Right",
      2025,
      "2510.22876",
      "3× at batch 8",
    ],
    [
      "magicdec",
      "with long contexts speculation gains more as batches grow",
      "MagicDec: Breaking the Latency-Throughput Tradeoff for Long Context Generation",
      2024,
      "2408.11049",
      "no number in the abstract",
    ],
  ]),
  ...untestable("a second device that drafts while the target verifies", [
    [
      "pearl",
      "drafting while verifying beats taking turns",
      "PEARL: Parallel Speculative Decoding with Adaptive Draft Length",
      2024,
      "2408.11850",
      "1.52× vanilla speculation",
    ],
    [
      "duodecoding",
      "a processor drafts for a GPU in parallel",
      "DuoDecoding: Hardware-aware Heterogeneous Speculative Decoding",
      2025,
      "2503.00784",
      "up to 2.61×",
    ],
  ]),
  ...untestable("answers graded for being right, and rules that change what is said by the sentence", [
    [
      "specreason",
      "a light model may take the easy steps of reasoning",
      "SpecReason: Fast and Accurate Inference-Time Compute via Speculative Reasoning",
      2025,
      "2504.07891",
      "1.5–2.5×",
    ],
    [
      "lookahead-reasoning",
      "steps can be speculated beside tokens",
      "Scaling Speculative Decoding with Lookahead Reasoning",
      2025,
      "2506.19830",
      "1.4× raised to 2.1×",
    ],
  ]),
  ...untestable("images, and hunch reads text", [
    [
      "vispec",
      "compressed image tokens make drafters of vision models pay",
      "ViSpec: Accelerating Vision-Language Models with Vision-Aware Speculative Decoding",
      2025,
      "2509.15235",
      "no number of its own in the abstract",
    ],
  ]),
];

type Row = readonly [id: string, claim: string, title: string, year: number, arxiv: string, published: string];

function untestable(needs: string, rows: readonly Row[]): Claim[] {
  return rows.map(([id, claim, title, year, arxiv, published]) => ({
    ...{ id, claim, published },
    paper: { title, year, arxiv },
    because: `it takes ${needs}`,
  }));
}
