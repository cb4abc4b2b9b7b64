// Verification rules on the device, behind the pass that made the probabilities: what is drafted goes up before, the
// verdict comes back with the results. Nothing waits in between.
//
// Verdicts are those of the rules in TypeScript to the last bit, because all that decides is computed in float64
// (ops/f64.wgsl) and summed in whole units. Where that cannot be, the verdict is not settled, and TypeScript decides.
import { type DeviceRule, type Judged, mostUniforms } from "../../src/device-rule.ts";
import { type Distribution, massWithout, point, probability, ROUNDING } from "../../src/math/distribution.ts";
import { addUp } from "../../src/math/sum.ts";
import type { DraftTree } from "../../src/tree.ts";
import { childrenOf, holding, longestStanding, pathTo } from "../../src/draft/walk.ts";
import type { Device, Kernel } from "./device.ts";
import { MOST_ROWS } from "./kernels.ts";
import { blockKernel, factorsKernel, greedyKernel, typicalKernel, walkKernel } from "./rule-kernels.ts";
import type { Part } from "./scores.ts";
import type { Growing } from "./steps.ts";

export const DEVICE_RULES: readonly DeviceRule["name"][] = [
  "greedy",
  "token",
  "block",
  "recursive",
  "top-and-one",
  "typical",
];

/** Words of the verdict of rules that walk, as ops/owed.wgsl has it. */
const VERDICT_WORDS = 4;
/** As the kernels have it: nothing can be said. */
const NOBODY = 0xffffffff;

/** A verdict that can be recorded: everything is compiled and uploaded. */
export interface Prepared {
  readonly rule: DeviceRule;
  readonly tree: DraftTree;
  /** How much of `WebGpuRules.verdict` is to be read. */
  readonly bytes: number;
  /** The node that each place of the walk belongs to, −1 for the root. */
  readonly nodes: readonly number[];
}

/** One token that is accepted or refused. */
interface Trial {
  readonly token: number;
  /** As the drafter gave it. */
  readonly q: Distribution;
  /** How many of the place's first drafts count as 0 in q. */
  readonly removed: number;
  /** Of the token. */
  readonly likelihood: number;
  /** What all of q is multiplied by. */
  readonly factor: number;
}

/** A place of the walk, as ops/owed.wgsl has it. */
interface Place {
  readonly node: number;
  readonly drafts: readonly number[];
  /** By draft, the place below. */
  readonly below: readonly number[];
  readonly trials: readonly Trial[];
}

const PLACE_WORDS = 5;
const TRIAL_WORDS = 7;

/** What a pass must have made of its scores for this rule. */
export function partsForRule({ name }: DeviceRule): readonly Part[] {
  return name === "greedy" ? ["best"] : ["best", "probabilities"];
}

export class WebGpuRules {
  /** What `record` leaves, of which `Prepared.bytes` are to be copied into the staging buffer. */
  readonly verdict: GPUBuffer;
  readonly #shape: GPUBuffer;
  readonly #factors: GPUBuffer;
  readonly #work: GPUBuffer;
  readonly #tree: Growing;
  readonly #numbers: Growing;

  constructor(private readonly device: Device, private readonly vocab: number) {
    this.verdict = device.storage(2 * MOST_ROWS * 8, "verdict");
    this.#shape = device.uniform(16, "shape of verdicts");
    this.#factors = device.storage(MOST_ROWS * 8, "factors of rows");
    this.#work = device.storage(vocab * 8, "what is owed");
    this.#tree = { buffer: device.storage(16, "draft") };
    this.#numbers = { buffer: device.storage(16, "what was drafted from") };
  }

  /**
   * Compiles and uploads what the next `record` needs, and nothing else: one verdict at a time. Undefined where this
   * rule, law or draft cannot be judged on the device.
   */
  async prepare(rule: DeviceRule, tree: DraftTree, uniforms: Float64Array): Promise<Prepared | undefined> {
    const size = tree.tokens.length;
    if (size >= MOST_ROWS || uniforms.length < mostUniforms(tree)) return undefined;
    if (tree.tokens.some((token) => !(token >= 0 && token < this.vocab))) return undefined;
    for (const kernel of kernelsOf(rule)) if (!this.device.compiled(kernel)) await this.device.pipeline(kernel);
    if (rule.name === "typical") {
      const nodes = Uint32Array.from({ length: 2 * size }, (_, i) => {
        const node = i >> 1;
        return i % 2 === 0 ? tree.parents[node] + 1 : tree.tokens[node];
      });
      this.#upload(this.#tree, nodes.byteLength, [nodes]);
      this.#upload(this.#numbers, 8, [uniforms.subarray(0, 1)]);
      this.device.write(this.#shape, Uint32Array.of(this.vocab, size + 1, size));
      return { rule, tree, bytes: 8 * (2 * size + 1), nodes: [] };
    }
    const places = placesOf(rule, tree, this.vocab);
    if (!places) return undefined;
    const { words, numbers, long } = pack(places, uniforms);
    const bytes = long.reduce((sum, { byteLength }) => sum + byteLength, numbers.byteLength);
    if (Math.max(bytes, words.byteLength) > this.device.largestBinding) return undefined;
    this.#upload(this.#tree, words.byteLength, [words]);
    if (rule.name !== "greedy") {
      this.#upload(this.#numbers, bytes, [numbers, ...long]);
      this.device.write(this.#shape, Uint32Array.of(this.vocab));
    }
    return { rule, tree, bytes: 4 * VERDICT_WORDS, nodes: places.map(({ node }) => node) };
  }

  /**
   * Records the verdict behind a pass that left `probabilities` [rows, vocab], float32, and `best` [rows, BEST_WORDS].
   * `greedy` looks only at the latter, all others only at the former.
   */
  record(encoder: GPUCommandEncoder, { rule, tree }: Prepared, probabilities: GPUBuffer, best: GPUBuffer): void {
    const pass = encoder.beginComputePass();
    const rows = tree.tokens.length + 1;
    const run = (kernel: Kernel, buffers: readonly GPUBuffer[], groups: number) => {
      const compiled = this.device.compiled(kernel)!;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, this.device.bind(compiled, buffers));
      pass.dispatchWorkgroups(groups);
      this.device.counts.dispatches++;
    };
    const [shape, factors, drafted, numbers] = [this.#shape, this.#factors, this.#tree.buffer, this.#numbers.buffer];
    const [first, second] = kernelsOf(rule);
    if (rule.name === "greedy") {
      run(first, [best, drafted, this.verdict], 1);
    } else {
      const work = rule.name === "typical" ? [] : [this.#work];
      run(first, [shape, probabilities, factors], rows);
      run(
        second,
        [shape, probabilities, factors, drafted, numbers, ...work, this.verdict],
        rule.name === "typical" ? rows : 1,
      );
    }
    pass.end();
  }

  /** `words`: what was read of `verdict`. Undefined where the device could not settle it. */
  read(words: Uint32Array, { rule, tree, nodes }: Prepared): Judged | undefined {
    if (rule.name === "typical") return this.#readTypical(words, rule, tree);
    const [settled, place, next, used] = words;
    return settled === 1 ? { verdict: { path: pathTo(tree, nodes[place]), next }, used } : undefined;
  }

  /** The path is chosen here, from exact probabilities and entropies that are known up to a margin. */
  #readTypical(
    words: Uint32Array,
    { epsilon, delta }: DeviceRule & { name: "typical" },
    tree: DraftTree,
  ): Judged | undefined {
    const rows = tree.tokens.length + 1;
    const likely = new Float64Array(words.slice(2 * rows, 2 * rows + 2 * tree.tokens.length).buffer);
    const entropies = new Float32Array(words.buffer, words.byteOffset, 2 * rows);
    let settled = true;
    const node = longestStanding(tree, (row) => {
      settled &&= words[2 * row] !== NOBODY;
      const entropy = entropies[2 * row + 1];
      const margin = this.#margin(entropy);
      return childrenOf(tree, [row - 1]).map((child) => {
        const p = likely[child];
        if (p > epsilon || !(p > 0) || delta === 0) return p; // whatever the entropy is
        const above = Math.log(p / delta) + entropy;
        settled &&= Math.abs(above) > margin; // also where it is no number
        return above > 0 ? p : 0;
      });
    });
    const next = words[2 * (node + 1)];
    return settled && next !== NOBODY ? { verdict: { path: pathTo(tree, node), next }, used: 1 } : undefined;
  }

  /**
   * How far off an entropy may be: logarithms to 2^-21 or 3 units in the last place, as WGSL asks for, and the rounding of
   * as many additions as stand behind one another.
   */
  #margin(entropy: number): number {
    return 1e-5 + (this.vocab / 256 + 32) * 2 ** -23 * (Math.abs(entropy) + 1);
  }

  /** `parts`, one behind the other, in a buffer that has room for `bytes`. */
  #upload(to: Growing, bytes: number, parts: readonly ArrayBufferView[]): void {
    const { device } = this;
    if (to.buffer.size < bytes) {
      const { label } = to.buffer;
      device.destroy(to.buffer);
      to.buffer = device.storage(Math.min(2 * bytes, Math.max(bytes, device.largestBinding)), label);
    }
    let at = 0;
    for (const part of parts) {
      device.write(to.buffer, part, at);
      at += part.byteLength;
    }
  }
}

function kernelsOf({ name }: DeviceRule): readonly Kernel[] {
  switch (name) {
    case "greedy":
      return [greedyKernel];
    case "typical":
      return [factorsKernel, typicalKernel];
    case "block":
      return [factorsKernel, blockKernel];
    default:
      return [factorsKernel, walkKernel];
  }
}

/** Where a walk may come by, the root first. Undefined where a rule, law or distribution is not for the device. */
function placesOf(rule: DeviceRule, tree: DraftTree, vocab: number): Place[] | undefined {
  const open: number[][] = [[-1]];
  const places: Place[] = [];
  for (const here of open) { // grows meanwhile
    const children = childrenOf(tree, here);
    const drafts = children.map((node) => tree.tokens[node]);
    const known = new Map<number, number>();
    const below = drafts.map((token) => {
      let place = known.get(token);
      if (place === undefined) {
        place = open.push(holding(tree, children, token)) - 1;
        known.set(token, place);
      }
      return place;
    });
    const drawn = children.length === 0 ? undefined : tree.q(tree.parents[children[0]]);
    const trials = trialsOf(rule, tree, drafts, drawn, vocab);
    // So little may be left of q that its inverse is no number.
    if (trials === undefined || trials.some(({ factor }) => factor === Infinity)) return undefined;
    places.push({ node: here[0], drafts, below, trials });
  }
  return places;
}

/** What a place's drafts are put to, as the rules of plugins/rules do. */
function trialsOf(
  { name }: DeviceRule,
  { law }: DraftTree,
  drafts: readonly number[],
  drawn: Distribution | undefined,
  vocab: number,
): Trial[] | undefined {
  if (drafts.length === 0 || name === "greedy") return [];
  const chosen = (token: number): Trial => ({ token, q: point(vocab, token), removed: 0, likelihood: 1, factor: 1 });
  const whole = drawn ?? point(vocab, drafts[0]);
  if (!usable(whole, vocab)) return undefined;
  const all = addUp(whole.probabilities, 1);
  const sum = massWithout(whole, [], all);
  if (!(sum > 0 && sum < Infinity)) return undefined; // TypeScript says what is wrong
  /** Draft `i` against q without the drafts before it that were `removed`; undefined where nothing is left of q. */
  const trial = (i: number, removed: number): Trial | undefined => {
    const token = drafts[i];
    const gone = new Set(drafts.slice(0, removed));
    const left = massWithout(whole, [...gone], all);
    if (!(left > 0)) return undefined;
    const factor = Math.abs(left - 1) <= ROUNDING ? 1 : 1 / left;
    return { token, q: whole, removed, likelihood: gone.has(token) ? 0 : probability(whole, token) * factor, factor };
  };
  const last = drafts.length - 1;
  if (name === "top-and-one" ? law !== "top-and-one" : name !== "recursive" && law === "top-and-one") return undefined;
  if (name === "top-and-one") return [trial(last, last)].filter((one) => one !== undefined);
  if (name !== "recursive") return [trial(0, 0)!];
  const trials: Trial[] = [];
  for (let i = 0; i <= last; i++) {
    const one = law === "point" || (law === "top-and-one" && i < last)
      ? chosen(drafts[i])
      : trial(i, law === "iid" ? 0 : i);
    if (one === undefined) break;
    trials.push(one);
  }
  return trials;
}

/** Whether `d` is what a distribution should be, but for its sum. */
function usable(d: Distribution, vocab: number): boolean {
  const { tokens, probabilities } = d;
  if (d.vocab !== vocab || probabilities.length !== (tokens?.length ?? vocab)) return false;
  let signs = 0;
  const words = new Int32Array(probabilities.buffer, probabilities.byteOffset, 2 * probabilities.length);
  for (let i = 1; i < words.length; i += 2) signs |= words[i];
  return signs >= 0;
}

/** Places, links, trials and lists of tokens in `words`; in `numbers` all but dense distributions, which follow it. */
function pack(places: readonly Place[], uniforms: Float64Array) {
  const words: number[] = [];
  const numbers: number[] = [...uniforms];
  const long: Float64Array[] = [];
  /** Where dense distributions begin, counted from the first of them. */
  const starts = new Map<Float64Array, number>();
  let longLength = 0;
  const put = (at: number, values: ArrayLike<number>, into = words) => {
    for (let i = 0; i < values.length; i++) into[at + i] = values[i];
    return at;
  };
  /** Words that say where a dense distribution is. */
  const late: number[] = [];
  put(0, new Uint32Array(PLACE_WORDS * places.length));
  places.forEach(({ node, drafts, below, trials }, place) => {
    const links = put(words.length, drafts.flatMap((token, i) => [token, below[i]]));
    const first = put(words.length, new Uint32Array(TRIAL_WORDS * trials.length));
    put(PLACE_WORDS * place, [node + 1, first, trials.length, links, drafts.length]);
    trials.forEach(({ token, q: { tokens, probabilities }, removed, likelihood, factor }, i) => {
      const at = first + TRIAL_WORDS * i;
      const judged = put(numbers.length, [likelihood, factor], numbers);
      let list = 0;
      let values: number;
      if (tokens) {
        list = put(words.length, tokens);
        values = put(numbers.length, probabilities, numbers);
      } else {
        values = starts.get(probabilities) ?? longLength;
        if (values === longLength) {
          starts.set(probabilities, values);
          long.push(probabilities);
          longLength += probabilities.length;
        }
        late.push(at + 2);
      }
      put(at, [token, list, values, probabilities.length, links, removed, judged]);
    });
  });
  for (const word of late) words[word] += numbers.length;
  return { words: Uint32Array.from(words), numbers: Float64Array.from(numbers), long };
}
