// toolspec: tool calls, as far as their schemas fix them, and the rest from calls made before.
// ToolSpec: Accelerating Tool Calling via Schema-Aware and Retrieval-Augmented Speculative Decoding (Xia et al., 2026,
// arXiv 2604.13519).
//
// As in the paper: a machine over the JSON of a call (which key, which value, what is closed) fills what the schema
// fixes: names of tools and parameters, quotes, colons, allowed values, brackets. Fields that it leaves open are drafted
// from earlier calls of the same tool, those first that agree with what is said of this one, and where there are none by
// another drafter (`fields`). Ours: where the machine has been wrong lately, that one comes first. Schemas and earlier
// calls are read where the model reads them, in the prompt, whatever template or system prompt has brought them there;
// calls of answers are kept from text to text. Left out: similarity of requests by embeddings (agreement of arguments
// stands for it); calls that are not JSON, such as Python's; what is inside nested objects.
//
// Law `point`. Memory: the last 256 calls of up to 4,096 characters, at most 4 MB; the answer's text; what `fields` takes.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { fill } from "../../src/draft/fill.ts";
import { type JsonPrefix, jsonPrefix } from "../../src/draft/json-prefix.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { type Call, type Tool, toolsIn } from "../../src/draft/tools.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import { asPoint, merge } from "../../src/draft/tree-edit.ts";
import { wantsOf } from "../../src/draft/wants.ts";
import type { DraftTree } from "../../src/tree.ts";
import { Share } from "../controllers/watching.ts";

/** What may come next, and how likely. */
interface Step {
  readonly text: string;
  readonly probability: number;
}

/** How likely what the schema fixes is right, and a call where there are tools. */
const FIXED = 0.95;
const OPENING = 0.5;
/** Of several that may come next, the first; each further one has half of what is left. */
const FIRST = 0.7;
/** A call ends, where nothing is missing, though there are parameters left. */
const ENDING = 0.6;
/** Letters of a token that are looked ahead for. */
const LETTERS = 8;
/** Continuations less likely than this are not thought of. */
const LEAST = 0.05;
/** Calls that are kept, and the characters of the longest. */
const CALLS_KEPT = 256;
const LONGEST_CALL = 4096;
/** Right less often, what the schemas say only fills the nodes that `fields` leaves: the model is at something else. */
const TRUSTED = 0.5;
/** Tokens in front of a draft that its text is tokenised with. */
const TAIL = 8;

export class ToolSpecDrafter implements Drafter {
  readonly name = "toolspec";
  readonly laws = ["point"] as const;
  #tools: readonly Tool[] = [];
  /** By what they say, oldest first. */
  readonly #calls = new Map<string, Call>();
  #opening = "";
  #closing = "";
  /** How often the next token was one of ours, where we had some; and those of the last draft. */
  readonly #right = new Share();
  #first = new Int32Array(0);
  readonly #said = new TokenBuffer();
  #text = "";
  #decoder = utf8();
  /** Where the last call begins that the text may go on with; its end where there is none. */
  #begun = 0;

  readonly candidates: Drafter["candidates"];
  readonly taps: Drafter["taps"];
  readonly observePrompt: Drafter["observePrompt"];
  readonly attach: Drafter["attach"];

  constructor(private readonly tokenizer: Tokenizer, private readonly fields: Drafter) {
    const wants = wantsOf([fields]);
    ({ candidates: this.candidates, taps: this.taps, observePrompt: this.observePrompt, attach: this.attach } = wants);
  }

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#keepCall();
    this.#said.clear();
    this.#text = "";
    this.#decoder = utf8();
    this.#begun = 0;
    this.#first = new Int32Array(0);
    const text = this.tokenizer.decode(prompt);
    const { tools, calls } = toolsIn(text);
    this.#tools = tools;
    this.#keep(calls);
    this.#opening = text.match(/<tool_call>[\s[]*\{\s*"name":\s*/)?.[0] ?? '{"name": ';
    this.#closing = text.match(/\}([\s\]]*<\/tool_call>)/)?.[1] ?? (this.#opening.includes("[") ? "]" : "");
    await this.fields.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const texts = this.#tools.length > 0 && plan.nodes > 0 ? this.#continuations(LETTERS * plan.depth) : [];
    const tail = this.#said.view.subarray(Math.max(0, this.#said.length - TAIL));
    const before = this.tokenizer.decode(tail);
    const tokensOf = (text: string) => {
      const all = this.tokenizer.encode(before + text);
      return tail.every((token, i) => all[i] === token) ? all.subarray(tail.length) : this.tokenizer.encode(text);
    };
    const own = drawTrie(plan, texts.map(({ text, probability }) => ({ tokens: tokensOf(text), probability })));
    this.#first = own.tokens.filter((_, node) => own.parents[node] < 0);
    if (own.tokens.length > 0 && this.#right.value(FIXED) >= TRUSTED) return own;
    return merge([asPoint(await this.fields.draft(plan, chance)), own], plan.nodes);
  }

  async observe(round: Round): Promise<void> {
    if (this.#first.length > 0) this.#right.see(this.#first.includes(round.committed[0]));
    this.#first = new Int32Array(0);
    this.#said.append(round.committed);
    for (const token of round.committed) {
      this.#text += this.#decoder.decode(this.tokenizer.bytes(token), { stream: true });
    }
    if (this.#text.trim() !== "" && restOf(this.#opening, this.#text.trimStart()) === undefined) {
      const said = this.#text.slice(this.#begun);
      const call = openCall(said);
      const goesOn = call !== undefined && (call.prefix.levels.length > 0 ||
        closed(this.#closing, said.slice(call.from + call.prefix.length)).length > 0);
      this.#begun = goesOn ? this.#begun + call.from : this.#text.length;
    }
    await this.fields.observe(round);
  }

  close(): void {
    this.fields.close?.();
  }

  /** What may be said next, as far as the schemas and earlier calls know, in about so many letters. */
  #continuations(longest: number): Step[] {
    const done: Step[] = [];
    const said = this.#text.slice(this.#begun);
    const follow = (text: string, probability: number) => {
      const steps = text.length > longest ? [] : this.#steps(said + text);
      const worth = steps.filter((step) => probability * step.probability >= LEAST);
      if (worth.length === 0 && text !== "") done.push({ text, probability });
      for (const step of worth) follow(text + step.text, probability * step.probability);
    };
    follow("", 1);
    return done;
  }

  /** `text`: what is said from `#begun` on, and more. */
  #steps(text: string): Step[] {
    if (this.#begun === 0) {
      if (text.trim() === "") return [{ text: this.#opening, probability: OPENING }];
      const rest = restOf(this.#opening, text.trimStart());
      if (rest !== undefined && rest !== "") return [{ text: rest, probability: FIXED }];
    }
    const call = openCall(text);
    if (call === undefined) return [];
    const { prefix, from } = call;
    return prefix.levels.length === 0
      ? closed(this.#closing, text.slice(from + prefix.length))
      : stepsIn(prefix, text.slice(from), this.#tools, [...this.#calls.values()]);
  }

  #keepCall(): void {
    if (this.#tools.length > 0) this.#keep(toolsIn(this.#text).calls);
  }

  #keep(calls: readonly Call[]): void {
    for (const call of calls) {
      const key = JSON.stringify([call.tool, ...call.values]);
      if (key.length > LONGEST_CALL) continue;
      this.#calls.delete(key);
      this.#calls.set(key, call);
    }
    for (const key of this.#calls.keys()) if (this.#calls.size > CALLS_KEPT) this.#calls.delete(key);
  }
}

const utf8 = () => new TextDecoder("utf-8", { ignoreBOM: true });

/** What is left of `whole` behind `said`; undefined where it does not begin so. */
function restOf(whole: string, said: string): string | undefined {
  return whole.startsWith(said) ? whole.slice(said.length) : undefined;
}

/** The last call that has begun: where, and how far it has got. */
function openCall(text: string): { readonly from: number; readonly prefix: JsonPrefix } | undefined {
  let found: { from: number; prefix: JsonPrefix } | undefined;
  for (let from = text.indexOf("{"); from >= 0;) {
    const prefix = jsonPrefix(text.slice(from));
    if (prefix !== undefined) found = { from, prefix };
    if (prefix !== undefined && prefix.levels.length > 0) break;
    from = text.indexOf("{", from + (prefix?.length ?? 1));
  }
  return found;
}

/** What comes behind a call that is closed. */
function closed(closing: string, said: string): Step[] {
  const rest = restOf(closing, said);
  return rest === undefined || rest === "" ? [] : [{ text: rest, probability: FIXED }];
}

/** What comes next in a call, `{"name": …, "arguments": {…}}`. */
function stepsIn(
  { levels, partial }: JsonPrefix,
  text: string,
  tools: readonly Tool[],
  calls: readonly Call[],
): Step[] {
  const [outer, inner] = levels;
  const layout = layoutOf(text);
  const { colon } = layout;
  const comma = `,${layout.line(levels.length)}`;
  const end = layout.breaks ? `${layout.line(levels.length - 1)}}` : "}";
  const begun = dueAt(text, layout, levels.length);
  if (levels.length === 1) {
    const { wants, keys, values } = outer;
    const last = keys[keys.length - 1];
    if (wants === "comma") {
      if (!keys.includes("name")) return [];
      return fixed(keys.length < 2 ? `${comma}"arguments"${colon}{` : end);
    }
    if (wants === "colon") return fixed(colon);
    if (wants === "key") return complete([keys.includes("name") ? '"arguments"' : '"name"'], partial, colon, begun);
    if (last === "name") return complete(tools.map(({ name }) => quoted(name)), partial, "", begun);
    return values.has("name") && partial === undefined ? fixed(`${begun}{`) : [];
  }
  const tool = tools.find(({ name }) => quoted(name) === outer.values.get("name"));
  if (levels.length > 2 || tool === undefined || inner.kind !== "object") return [];
  const { wants, keys, values } = inner;
  const alike = similar(calls, tool, values);
  const again = alike.length === 0 ? undefined : [...alike[0].values.keys()].find((key) => !keys.includes(key));
  const left = tool.parameters.filter(({ name }) => !keys.includes(name));
  const names = left.map(({ name }) => name).sort((a, b) => Number(b === again) - Number(a === again)).map(quoted);
  if (wants === "colon") return fixed(colon);
  if (wants === "key") {
    if (keys.length === 0 && partial === undefined && names.length === 0) return fixed("}");
    return complete(names, partial, colon, begun);
  }
  const goesOn = left.some(({ required }) => required) || again !== undefined;
  const next = complete(names, undefined, colon, comma);
  const behind = goesOn ? next : [{ text: end, probability: left.length === 0 ? FIXED : ENDING }, ...scaled(next)];
  if (wants === "comma") return behind;
  const parameter = tool.parameters.find(({ name }) => name === keys[keys.length - 1]);
  if (parameter === undefined) return [];
  const before = alike.flatMap(({ values }) => values.get(parameter.name) ?? []);
  const known = [...new Set([...before, ...parameter.values])];
  if (partial !== undefined && !partial.startsWith('"') && known.includes(partial)) return behind; // a number may end here
  const steps = complete(known, partial, "", begun);
  if (steps.length > 0 || partial !== undefined) return steps;
  return fixed(OPENINGS[parameter.type] === undefined ? "" : begun + OPENINGS[parameter.type]);
}

/** What values of a type begin with. */
const OPENINGS: Readonly<Record<string, string | undefined>> = { string: '"', array: "[", object: "{", dict: "{" };

/** Earlier calls of a tool, those first that have most of what is said of this one; of equals the latest. */
function similar(calls: readonly Call[], { name }: Tool, said: ReadonlyMap<string, string>): Call[] {
  const agreement = ({ values }: Call) => [...said].filter(([key, value]) => values.get(key) === value).length;
  return calls.filter(({ tool }) => tool === name).reverse().sort((a, b) => agreement(b) - agreement(a));
}

const quoted = (text: string) => JSON.stringify(text);
const fixed = (text: string): Step[] => text === "" ? [] : [{ text, probability: FIXED }];
const scaled = (steps: readonly Step[]) =>
  steps.map(({ text, probability }) => ({ text, probability: probability * (1 - ENDING) }));

/** The ends of those of `texts` that begin with what is said, and `after` behind; `before` in front where nothing is. */
function complete(texts: readonly string[], said: string | undefined, after: string, before: string): Step[] {
  const ends = texts.flatMap((text) => restOf(text, said ?? "") ?? []).filter((end) => end + after !== "");
  return ends.map((end, rank) => ({
    text: (said === undefined ? before : "") + end + after,
    probability: ends.length === 1 ? FIXED : FIRST * (1 - FIRST) ** rank,
  }));
}

/** How a call is laid out: in one line with spaces or without, or a line for every key. */
interface Layout {
  readonly colon: string;
  readonly breaks: boolean;
  /** What stands between `{` or a comma and a key so deep inside. */
  line(depth: number): string;
}

function layoutOf(call: string): Layout {
  const indent = call.match(/^\{\n([ \t]+)/)?.[1];
  const compact = /":\S/.test(call);
  const colon = compact ? ":" : ": ";
  if (indent === undefined) return { colon, breaks: false, line: () => compact ? "" : " " };
  return { colon, breaks: true, line: (depth) => `\n${indent.repeat(depth)}` };
}

/** What is due between the last sign of a call and what comes next, and not said yet. */
function dueAt(call: string, { colon, breaks, line }: Layout, depth: number): string {
  const [, sign, said] = call.match(/([:,{])(\s*)$/) ?? [];
  if (sign === undefined) return "";
  const due = sign === ":" ? colon.slice(1) : sign === "," || breaks ? line(depth) : "";
  return restOf(due, said) ?? "";
}

/** The tree of some token sequences: a node is as likely as all that go through it. */
function drawTrie(
  plan: Plan,
  texts: readonly { readonly tokens: Int32Array; readonly probability: number }[],
): DraftTree {
  interface Place {
    readonly depth: number;
    readonly through: typeof texts;
  }
  return fill<Place>(plan, { depth: 0, through: texts }, ({ depth, through }, offer) => {
    const byToken = new Map<number, { tokens: Int32Array; probability: number }[]>();
    for (const text of through) {
      const token = text.tokens[depth];
      if (token === undefined) continue;
      const same = byToken.get(token);
      if (same === undefined) byToken.set(token, [text]);
      else same.push(text);
    }
    const sum = (texts: readonly { readonly probability: number }[]) =>
      texts.reduce((all, { probability }) => all + probability, 0);
    const whole = depth === 0 ? 1 : sum(through);
    for (const [token, through] of byToken) {
      offer(token, Math.min(1, sum(through) / whole), { depth: depth + 1, through });
    }
  }).tree;
}

export default definePlugin({
  kind: "drafter",
  name: "toolspec",
  summary: "tool calls: what their schemas in the prompt fix, and values of earlier calls",
  paper: {
    title: "ToolSpec: Accelerating Tool Calling via Schema-Aware and Retrieval-Augmented Speculative Decoding",
    year: 2026,
    arxiv: "2604.13519",
  },
  options: {
    fields: { type: "string", default: "lookup", summary: "drafter of what schemas and earlier calls leave open" },
  },
  async create({ fields }, _, context) {
    return new ToolSpecDrafter(context.target.source.tokenizer, await context.resolve("drafter", fields));
  },
});
