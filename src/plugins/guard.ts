// What a stranger's plugin makes, held to its contract: whatever is wrong with it is told by the plugin's name, file and
// line, and never as a fault of hunch.
import { HunchError } from "../errors.ts";
import { errorPlace } from "./place.ts";
import type { Methods, Plugin } from "./plugin.ts";
import { DRAFT_LAWS } from "../tree.ts";

type Kind = keyof Methods;
/** What a plugin made, before anybody knows what it is. */
type Unknown = Readonly<Record<string | symbol, unknown>>;
type Check = (value: unknown) => string | undefined;

const text: Check = (value) => typeof value === "string" && value !== "" ? undefined : "no text";
const method: Check = (value) => typeof value === "function" ? undefined : "no function";
const switched: Check = (value) => typeof value === "boolean" ? undefined : "neither true nor false";
const law: Check = (value) =>
  (DRAFT_LAWS as readonly unknown[]).includes(value) ? undefined : `none of ${DRAFT_LAWS.join(", ")}`;
const laws: Check = (value) => Array.isArray(value) ? value.map(law).find(Boolean) : "no list of laws";
const someLaws: Check = (value) => laws(value) ?? ((value as unknown[]).length > 0 ? undefined : "an empty list");
const tap: Check = (value) =>
  value === "head" || (Number.isInteger(value) && (value as number) >= 0) ? undefined : "no list of layers";
const taps: Check = (value) => Array.isArray(value) ? value.map(tap).find(Boolean) : "no list of layers";
const size: Check = (value) => Number.isInteger(value) && (value as number) > 0 ? undefined : "no whole number above 0";
const maybe = (check: Check): Check => (value) => value === undefined ? undefined : check(value);

/** The members of what each kind of plugin makes. */
const MEMBERS: Readonly<Record<Kind, Readonly<Record<string, Check>>>> = {
  drafter: {
    name: text,
    laws,
    begin: method,
    draft: method,
    observe: method,
    lawsAt: maybe(method),
    after: maybe(method),
    observePrompt: maybe(method),
    candidates: maybe(size),
    attach: maybe(method),
    taps: maybe(taps),
    anticipate: maybe(method),
    close: maybe(method),
  },
  proposer: {
    vocab: size,
    sync: method,
    propose: method,
    stateOf: maybe(method),
    attach: maybe(method),
    release: maybe(method),
    anticipate: maybe(method),
    close: maybe(method),
  },
  shape: { name: text, law, grow: method, single: maybe(switched), begin: maybe(method), observe: maybe(method) },
  rule: {
    name: text,
    lossless: switched,
    laws: someLaws,
    verify: method,
    verifyGreedily: maybe(method),
    prepare: maybe(method),
    taps: maybe(taps),
    greedy: maybe(switched),
    independent: maybe(switched),
    maxSiblings: maybe(size),
  },
  controller: { name: text, plan: method, observe: method },
  backend: { name: text, load: method, offers: maybe(method), hardware: maybe(method) },
};

/** Methods that may answer later. All others must answer at once. */
const LATER: Readonly<Record<Kind, readonly string[]>> = {
  drafter: ["begin", "observePrompt", "draft", "after", "anticipate", "observe"],
  proposer: ["sync", "propose", "anticipate"],
  shape: ["grow"],
  rule: ["prepare"],
  controller: [],
  backend: ["load", "hardware"],
};

/** What is wrong with an answer; `made` gave it. */
const ANSWERS: Readonly<Record<string, (answer: unknown, made: Unknown) => string | undefined>> = {
  lawsAt: (answer) => membersFault("the answer", answer, laws),
  draft: (answer, { laws }) => treeFault(answer, laws as readonly unknown[]),
  after: (answer) => treeFault(answer, ["point"]),
  grow: (answer, { law }) => treeFault(answer, [law]),
  verify: verdictFault,
  verifyGreedily: verdictFault,
  plan: (answer) => {
    const { nodes, depth } = membersOf(answer);
    const sizes = [nodes, depth].every((value) => typeof value === "number" && value >= 0);
    return sizes ? undefined : "its plan has no nodes and depth, numbers of 0 or more";
  },
  propose: (answer) =>
    Array.isArray(answer) && answer.every(isDistribution) ? undefined : "it gave no list of distributions",
  load: (answer) => membersFault("the engine's open", membersOf(answer).open, method),
};

/** Makes the method of a plugin that came from a file. Throws HunchError("input") where it is not what it should be. */
export async function guarded<K extends Kind>(
  plugin: Plugin<K>,
  file: string,
  create: () => Methods[K] | Promise<Methods[K]>,
): Promise<Methods[K]> {
  const guard = new Guard(plugin, file);
  const made = await guard.settle("create", guard.attempt("create", create));
  for (const [member, check] of Object.entries(MEMBERS[plugin.kind])) {
    const fault = guard.attempt("create", () => membersFault(member, membersOf(made)[member], check));
    if (fault !== undefined) throw guard.broken("create", fault);
  }
  return guard.around(membersOf(made)) as unknown as Methods[K];
}

class Guard {
  constructor(private readonly plugin: Plugin, private readonly file: string) {}

  /** The same object, whose methods are watched. Private fields and identity of what it is given are not disturbed. */
  around(made: Unknown): Unknown {
    return new Proxy({}, {
      has: (_, key) => key in made,
      set: (_, key, value) => Reflect.set(made, key, value),
      get: (_, key) => {
        const name = String(key);
        const value = this.attempt(name, () => made[key]);
        return typeof value === "function"
          ? (...args: unknown[]) => this.#answer(name, made, this.attempt(name, () => value.apply(made, args)))
          : value;
      },
    });
  }

  attempt<T>(where: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw this.broken(where, error);
    }
  }

  async settle<T>(where: string, answer: T | Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.broken(where, error);
    }
  }

  broken(where: string, error: unknown): Error {
    if (error instanceof HunchError) return error; // says itself what is wrong
    const { message, file } = errorPlace(error, this.file);
    const told = new HunchError("input", `plugin ${this.plugin.name} (${file}) failed in ${where}: ${message}`);
    told.cause = error;
    return told;
  }

  #answer(where: string, made: Unknown, answer: unknown): unknown {
    if (!(answer instanceof Promise)) return this.#checked(where, made, answer);
    const settled = this.settle(where, answer).then((value) => this.#checked(where, made, value));
    if (LATER[this.plugin.kind].includes(where)) return settled;
    settled.catch(() => {}); // nobody waits for it
    throw this.broken(where, "it answered with a promise, and must answer at once");
  }

  #checked(where: string, made: Unknown, answer: unknown): unknown {
    const fault = this.attempt(where, () => ANSWERS[where]?.(answer, made));
    if (fault !== undefined) throw this.broken(where, fault);
    const { goOn } = where === "plan" ? membersOf(answer) : {};
    if (typeof goOn !== "function") return answer;
    return { ...membersOf(answer), goOn: (...args: unknown[]) => this.attempt("goOn", () => goOn(...args)) };
  }
}

function membersFault(what: string, value: unknown, check: Check): string | undefined {
  const fault = check(value);
  return fault === undefined ? undefined : `${what} is ${value === undefined ? "missing" : fault}`;
}

function treeFault(answer: unknown, laws: readonly unknown[]): string | undefined {
  const { tokens, parents, law, q, sources } = membersOf(answer);
  if (!(tokens instanceof Int32Array && parents instanceof Int32Array && typeof q === "function")) {
    return "it gave no draft tree: tokens and parents, Int32Arrays, and q, a function";
  }
  if (sources !== undefined && !(Array.isArray(sources) && sources.length === tokens.length)) {
    return `its tree names ${Array.isArray(sources) ? sources.length : "no"} sources for ${tokens.length} nodes`;
  }
  if (tokens.length === 0) return undefined;
  if (!laws.includes(law)) return `its tree has the law ${law}, where it declares ${laws.join(", ") || "none"}`;
  const unknown = law === "point" ? undefined : parents.find((parent) => !isDistribution(q.call(answer, parent)));
  return unknown === undefined ? undefined : `its tree has no q for the children of node ${unknown}`;
}

function verdictFault(answer: unknown): string | undefined {
  const { path, next } = membersOf(answer);
  if (!(path instanceof Int32Array)) return "its verdict has no path, an Int32Array";
  return Number.isInteger(next) ? undefined : "its verdict has no next, a token";
}

function membersOf(value: unknown): Unknown {
  return typeof value === "object" && value !== null ? value as Unknown : {};
}

function isDistribution(value: unknown): boolean {
  const { vocab, probabilities, tokens } = membersOf(value);
  return size(vocab) === undefined && probabilities instanceof Float64Array &&
    (tokens === undefined || tokens instanceof Int32Array);
}
