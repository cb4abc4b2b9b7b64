// A tree while it grows: what all shapes of this folder share. Not a shape of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan } from "../../src/controller.ts";
import { type Distribution, isEmpty, probability, top } from "../../src/math/distribution.ts";
import type { Proposer } from "../../src/drafter.ts";
import type { DraftLaw, DraftTree } from "../../src/tree.ts";
import { Urn } from "./urn.ts";

const ROOT = -1;

export class Growing {
  readonly tokens: number[] = [];
  readonly parents: number[] = [];
  /** How likely the proposer finds each node given its parent, and given all of its path. */
  readonly confidence: number[] = [];
  readonly #values: number[] = [];
  readonly #depths: number[] = [];
  readonly #q = new Map<number, Distribution>();
  readonly #asked = new Set<number>();
  /** Nodes whose children stay leaves. */
  readonly #ended = new Set<number>();
  readonly #urns = new Map<number, Urn>();
  /** Some of the likeliest tokens of q, most likely first. */
  readonly #ranked = new Map<number, readonly number[]>();
  /** Nodes in the order in which the proposer was told of them: it counts its own way. */
  readonly #told = new Map([[ROOT, ROOT]]);
  #over = false;

  constructor(private readonly proposer: Proposer, private readonly plan: Plan) {}

  /** Nodes that may still be added. */
  get room(): number {
    return this.plan.nodes - this.tokens.length;
  }

  /** Whether children of this node stay within the plan's depth. */
  deeper(node: number): boolean {
    return this.depth(node) < this.plan.depth;
  }

  /** Tokens from the root to this node; 0 for the root. */
  depth(node: number): number {
    return node < 0 ? 0 : this.#depths[node];
  }

  /** How likely the proposer finds the path to this node; 1 for the root. */
  value(node: number): number {
    return node < 0 ? 1 : this.#values[node];
  }

  /**
   * What children of the node are drawn from; undefined before `ask`, where the proposer has no more to say, and where
   * the plan says not to go on.
   */
  q(node: number): Distribution | undefined {
    return this.#q.get(node);
  }

  add(parent: number, token: number): number {
    return this.#add(parent, token, probability(this.#q.get(parent)!, token));
  }

  /** Adds a token from another source; the proposer need not have been asked about its parent. */
  graft(parent: number, token: number): number {
    return this.#add(parent, token, NaN);
  }

  #add(parent: number, token: number, own: number): number {
    this.tokens.push(token);
    this.parents.push(parent);
    this.confidence.push(own);
    this.#values.push(this.value(parent) * own);
    this.#depths.push(this.depth(parent) + 1);
    return this.tokens.length - 1;
  }

  /** Whether `ask` for this node would cost a pass of the proposer. */
  unasked(node: number): boolean {
    const leaf = node >= 0 && this.#ended.has(this.parents[node]);
    return !this.#over && !leaf && !this.#asked.has(node);
  }

  /** Asks for q of some nodes in one pass, as far as it is not known. Their parents must have been asked for. */
  async ask(nodes: readonly number[]): Promise<void> {
    const fresh = [...new Set(nodes)].filter((node) => this.unasked(node)).sort((a, b) => a - b);
    if (fresh.length === 0) return;
    const below = fresh.filter((node) => node >= 0);
    const answers: Distribution[] = [];
    if (fresh[0] === ROOT) answers.push(...await this.proposer.propose(batch([], [])));
    if (below.length > 0 && (fresh[0] !== ROOT || answers.length > 0)) {
      const parents: number[] = [];
      for (const node of below) { // parents stand before their children
        parents.push(this.#told.get(this.parents[node])!);
        this.#told.set(node, this.#told.size - 1);
      }
      answers.push(...await this.proposer.propose(batch(below.map((node) => this.tokens[node]), parents)));
    }
    if (answers.length < fresh.length) this.#over = true; // its context is full
    answers.forEach((q, i) => {
      this.#asked.add(fresh[i]);
      if (isEmpty(q)) return; // nothing is known of what comes there
      const on = this.plan.goOn?.(q, this.depth(fresh[i]) + 1) ?? true;
      if (on !== false) this.#q.set(fresh[i], q);
      if (on === "last") this.#ended.add(fresh[i]);
    });
  }

  /** Adds the `count` likeliest children that are not there, most likely first; fewer where fewer have any probability. */
  addLikeliest(parent: number, count: number): number[] {
    const there = this.#children(parent);
    return top(this.#q.get(parent)!, count + there.size)
      .filter((token) => !there.has(token))
      .slice(0, Math.min(count, this.room))
      .map((token) => this.add(parent, token));
  }

  /** Adds `count` independent draws; equal ones are nodes of their own. */
  addIndependent(parent: number, count: number, chance: Chance): number[] {
    const q = this.#q.get(parent)!;
    return Array.from({ length: Math.min(count, this.room) }, () => this.add(parent, chance.pick(q)));
  }

  /** Adds `count` draws without replacement, in the order drawn; fewer where fewer tokens have any probability. */
  addDistinct(parent: number, count: number, chance: Chance): number[] {
    const drawn: number[] = [];
    for (let left = Math.min(count, this.room); left > 0; left--) {
      const node = this.addAnother(parent, chance);
      if (node === undefined) break;
      drawn.push(node);
    }
    return drawn;
  }

  /** Adds one draw from q without the children that are there; undefined where nothing is left of q. */
  addAnother(parent: number, chance: Chance): number | undefined {
    const token = this.#urn(parent).draw(chance);
    return token === undefined ? undefined : this.add(parent, token);
  }

  /** How likely it is that a draw from q is none of the children that are there; 0 where nothing is left of q. */
  left(parent: number): number {
    return this.#urn(parent).left;
  }

  /** The likeliest token that is no child yet; undefined where nothing is left of q. */
  likeliest(parent: number): number | undefined {
    const there = this.#children(parent);
    let ranked = this.#ranked.get(parent) ?? [];
    if (ranked.length <= there.size) { // some more, for the next one is asked about soon
      this.#ranked.set(parent, ranked = top(this.#q.get(parent)!, 4 * (there.size + 1)));
    }
    return ranked.find((token) => !there.has(token));
  }

  #children(parent: number): Set<number> {
    return new Set(this.tokens.filter((_, node) => this.parents[node] === parent));
  }

  #urn(parent: number): Urn {
    let urn = this.#urns.get(parent);
    if (urn === undefined) {
      this.#urns.set(parent, urn = new Urn(this.#q.get(parent)!));
      for (const token of this.#children(parent)) urn.remove(token);
    }
    return urn;
  }

  tree(law: DraftLaw): DraftTree {
    const inner = new Set(this.parents);
    return {
      tokens: Int32Array.from(this.tokens),
      parents: Int32Array.from(this.parents),
      law,
      q: (node) => law !== "point" && inner.has(node) ? this.#q.get(node) : undefined,
      confidence: Float64Array.from(this.confidence, (own, node) => {
        const q = this.#q.get(this.parents[node]);
        return Number.isNaN(own) && q !== undefined ? probability(q, this.tokens[node]) : own;
      }),
    };
  }
}

function batch(tokens: readonly number[], parents: readonly number[]) {
  return { tokens: Int32Array.from(tokens), parents: Int32Array.from(parents) };
}
