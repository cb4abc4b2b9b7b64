// A request as a line of JSON: a string, or an object with a prompt or messages and how to answer them.
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { type Fields, isObject, type Values } from "../../src/fields.ts";
import { foreignFields, idOf, parseFields, type RequestId, wrong } from "../input/fields.ts";
import { chatPrompt, type Prompt, promptOf } from "../input/prompt.ts";
import { asField, refuseIdle, type SamplingChoice, samplingOf, seedOf } from "../input/sampling.ts";
import type { Question } from "../engine/session.ts";
import type { TemplateSettings } from "../input/template.ts";

/** What a request may say; what it does not is as the command line has it. */
export interface Defaults extends SamplingChoice {
  readonly seed: string | undefined;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly system: string | undefined;
  readonly raw: boolean;
  readonly logprobs: number | undefined;
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
  .concat(["logprobs", "drafter", "rule", "controller"], Object.keys(SAMPLING));

/** Most of the likeliest tokens that are told of each place. */
export const MOST_LOGPROBS = 1000;

/** A parsed line: its id, where it has one, and the question that it asks. */
export interface Request {
  readonly id?: RequestId;
  /** Names of fields that mean nothing here. */
  readonly foreign: readonly string[];
  question(source: ModelSource): Question;
}

/** Throws HunchError("input") that names the field and what is wrong with it. */
export function parseRequest(text: string, defaults: Defaults): Request {
  const fields = parseFields(text, "prompt", 'write "…" or {"prompt": "…"}');
  const id = idOf(fields);
  return {
    ...id === undefined ? {} : { id },
    foreign: foreignFields(fields, FIELDS),
    question: (source) => questionOf(fields, source, defaults),
  };
}

function questionOf(fields: Fields, source: ModelSource, defaults: Defaults): Question {
  const own: { -readonly [K in keyof SamplingChoice]: number } = {};
  for (const [field, key] of Object.entries(SAMPLING)) own[key] = fields.optional(field, "number");
  const sampling = samplingOf({ ...defaults, ...defined(own) }, asField);
  refuseIdle(own, sampling.temperature, asField);
  const stop = fields.values.stop ?? defaults.stop;
  return {
    prompt: promptIn(fields, source, defaults),
    sampling,
    seed: seedOf(seedField(fields) ?? defaults.seed),
    maxTokens: fields.whole("max_tokens", 1) ?? defaults.maxTokens,
    stop: typeof stop === "string" ? [stop] : strings(stop, "stop"),
    logprobs: fields.whole("logprobs", 0, MOST_LOGPROBS) ?? defaults.logprobs,
    drafter: fields.optional("drafter", "string"),
    rule: fields.optional("rule", "string"),
    controller: fields.optional("controller", "string"),
  };
}

function promptIn(fields: Fields, source: ModelSource, defaults: Defaults): Prompt {
  const template = { ...defaults.template, variables: { ...defaults.template.variables, ...variablesOf(fields) } };
  const system = fields.optional("system", "string") ?? defaults.system;
  const raw = fields.optional("raw", "boolean") ?? defaults.raw;
  const prompt = fields.optional("prompt", "string");
  if (fields.has("messages")) {
    if (prompt !== undefined) throw wrong("messages", "the only question: leave prompt out");
    const messages = messagesOf(fields.values.messages);
    const hasSystem = messages[0].role === "system";
    if (fields.has("system") && hasSystem) {
      throw wrong("system", "said once: there is a system message as well");
    }
    if (raw) throw wrong("raw", "false where there are messages");
    const all: ChatMessage[] = hasSystem || system === undefined
      ? messages
      : [{ role: "system", content: system }, ...messages];
    return chatPrompt(source, all, template);
  }
  if (prompt === undefined) throw wrong("prompt", "given, or messages");
  return promptOf(source, prompt, { raw, system, template });
}

function variablesOf({ values: { chat_template_kwargs: variables } }: Fields): Values {
  if (variables === undefined || variables === null) return {};
  if (isObject(variables)) return variables;
  throw wrong("chat_template_kwargs", "an object with the template's variables");
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const ROLES = ["system", "user", "assistant"];

/** Throws HunchError that names the message where one is not as it must be. */
export function messagesOf(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong("messages", "a list of at least one message");
  return value.map((message: unknown, i): ChatMessage => {
    const { role, content } = isObject(message) ? message : {};
    if (!ROLES.includes(role as string)) {
      throw wrong(`messages[${i}].role`, ROLES.join(", ").replace(/, (\w+)$/, " or $1"));
    }
    if (typeof content !== "string") throw wrong(`messages[${i}].content`, "text");
    return { role: role as ChatMessage["role"], content };
  });
}

function seedField({ values: { seed } }: Fields): string | undefined {
  if (seed === undefined || seed === null) return undefined;
  if (typeof seed === "string" || typeof seed === "number") return String(seed);
  throw wrong("seed", "a number or a string");
}

function strings(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrong(name, "text or a list of texts");
}
