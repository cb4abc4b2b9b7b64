// A request as a line of JSON: a string, or an object with a prompt or messages and how to answer them.
import { HunchError } from "../src/errors.ts";
import type { ChatMessage } from "../src/model/chat.ts";
import type { ModelSource } from "../src/model/source.ts";
import { closest } from "../src/closest.ts";
import { chatPrompt, type Prompt, promptOf } from "./prompt.ts";
import { refuseIdle, type SamplingChoice, samplingOf, seedOf } from "./sampling.ts";
import type { Question } from "./session.ts";
import type { TemplateSettings } from "./template.ts";

/** What a request may say; what it does not is as the command line has it. */
export interface Defaults extends SamplingChoice {
  readonly seed: string | undefined;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly system: string | undefined;
  readonly raw: boolean;
  readonly template: TemplateSettings;
}

const SAMPLING = {
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
  min_p: "minP",
  typical: "typical",
  repetition_penalty: "repetitionPenalty",
} as const;

const FIELDS = ["id", "prompt", "messages", "system", "raw", "chat_template_kwargs", "max_tokens", "seed", "stop"]
  .concat(Object.keys(SAMPLING));

type Fields = Readonly<Record<string, unknown>>;

/** A parsed line: its id, where it has one, and the question that it asks. */
export interface Request {
  readonly id?: string | number;
  question(source: ModelSource): Question;
  /** What it asks, as the model gets it. */
  prompt(source: ModelSource): Prompt;
}

/** Throws HunchError("input") that names the field and what is wrong with it. */
export function parseRequest(text: string, defaults: Defaults): Request {
  const fields = fieldsOf(text);
  const id = idOf(fields);
  return {
    ...id === undefined ? {} : { id },
    question: (source) => questionOf(fields, source, defaults),
    prompt: (source) => {
      refuseMistyped(fields);
      return requestPrompt(fields, source, defaults);
    },
  };
}

/** The id of a line that may be wrong otherwise. */
export function idOfLine(text: string): string | number | undefined {
  try {
    return idOf(fieldsOf(text));
  } catch {
    return undefined;
  }
}

function fieldsOf(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HunchError("input", `not JSON: ${(error as Error).message}`);
  }
  if (typeof value === "string") return { prompt: value };
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new HunchError("input", "a request is a string or an object", {}, 'write "…" or {"prompt": "…"}');
}

function questionOf(fields: Fields, source: ModelSource, defaults: Defaults): Question {
  refuseMistyped(fields);
  const own: { -readonly [K in keyof SamplingChoice]: number } = {};
  for (const [field, key] of Object.entries(SAMPLING)) own[key] = number(fields, field);
  const sampling = samplingOf({ ...defaults, ...defined(own) });
  refuseIdle(own, sampling.temperature);
  const stop = fields.stop ?? defaults.stop;
  const maxTokens = number(fields, "max_tokens") ?? defaults.maxTokens;
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 1)) {
    throw wrong("max_tokens", "a whole number, at least 1");
  }
  return {
    prompt: requestPrompt(fields, source, defaults).tokens,
    sampling,
    seed: seedOf(seedField(fields) ?? defaults.seed),
    maxTokens,
    stop: typeof stop === "string" ? [stop] : strings(stop, "stop"),
  };
}

function requestPrompt(fields: Fields, source: ModelSource, defaults: Defaults): Prompt {
  const template = { ...defaults.template, variables: { ...defaults.template.variables, ...variablesOf(fields) } };
  const system = text(fields, "system") ?? defaults.system;
  const raw = fields.raw ?? defaults.raw;
  if (typeof raw !== "boolean") throw wrong("raw", "true or false");
  if (fields.messages !== undefined) {
    if (fields.prompt !== undefined) throw wrong("messages", "the only question: leave prompt out");
    const messages = messagesOf(fields.messages);
    const hasSystem = messages[0].role === "system";
    if (fields.system !== undefined && hasSystem) throw wrong("system", "said once: there is a system message as well");
    if (raw) throw wrong("raw", "false where there are messages");
    const all: ChatMessage[] = hasSystem || system === undefined
      ? messages
      : [{ role: "system", content: system }, ...messages];
    return chatPrompt(source, all, template);
  }
  const prompt = text(fields, "prompt");
  if (prompt === undefined) throw wrong("prompt", "given, or messages");
  return promptOf(source, prompt, { raw, system, template });
}

function variablesOf({ chat_template_kwargs: variables }: Fields): Fields {
  if (variables === undefined || variables === null) return {};
  if (typeof variables === "object" && !Array.isArray(variables)) return variables as Fields;
  throw wrong("chat_template_kwargs", "an object with the template's variables");
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const ROLES = ["system", "user", "assistant"];

function messagesOf(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong("messages", "a list of at least one message");
  return value.map((message: unknown, i): ChatMessage => {
    const { role, content } = (typeof message === "object" && message !== null ? message : {}) as Fields;
    if (!ROLES.includes(role as string)) {
      throw wrong(`messages[${i}].role`, ROLES.join(", ").replace(/, (\w+)$/, " or $1"));
    }
    if (typeof content !== "string") throw wrong(`messages[${i}].content`, "text");
    return { role: role as ChatMessage["role"], content };
  });
}

/** Other fields may stand there for other programs, but not what looks like one of ours. */
function refuseMistyped(fields: Fields): void {
  for (const name of Object.keys(fields)) {
    const near = FIELDS.includes(name) ? undefined : closest(name, FIELDS.filter((field) => field.length > 3));
    if (near !== undefined) {
      throw new HunchError("input", "there is no such field", { field: name }, `did you mean ${near}?`);
    }
  }
}

function idOf({ id }: Fields): string | number | undefined {
  if (id === undefined || typeof id === "string" || typeof id === "number") return id;
  throw wrong("id", "a string or a number");
}

function seedField({ seed }: Fields): string | undefined {
  if (seed === undefined || seed === null) return undefined;
  if (typeof seed === "string" || typeof seed === "number") return String(seed);
  throw wrong("seed", "a number or a string");
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || typeof value === "number") return value ?? undefined;
  throw wrong(name, "a number");
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  throw wrong(name, "text");
}

function strings(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrong(name, "text or a list of texts");
}

function wrong(field: string, what: string): HunchError {
  return new HunchError("input", "the request is not as it must be", { field }, `it must be ${what}`);
}
