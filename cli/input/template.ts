// What the options say of the chat template: another one, and its variables.
import { HunchError } from "../../src/errors.ts";
import { type ChatTemplate, GIVEN } from "../../src/model/chat/chat.ts";
import type { TemplateFile } from "../../src/model/files/opened.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { TemplateOptions } from "../options.ts";
import { readWholeText } from "./text.ts";

export interface TemplateSettings {
  /** By name, values of JSON. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Names among them that the template must know. */
  readonly needed: readonly string[];
  /** Turn thinking off by the variable that the template has for it. */
  readonly noThink: boolean;
  /** The beginning token in front where the template does not write it. */
  readonly addBos: boolean;
}

/** Nothing is said. */
export const AS_IT_IS: TemplateSettings = { variables: {}, needed: [], noThink: false, addBos: false };

/** What templates call the switch that turns thinking off. */
const THINKING = ["enable_thinking", "thinking"];

/** Throws HunchError("usage") where a variable is not NAME=JSON. */
export function templateOf(options: Omit<TemplateOptions, "chatTemplate">): TemplateSettings {
  const pairs = options.templateVariables.map(variable);
  const { noThink, addBos } = options;
  return { variables: Object.fromEntries(pairs), needed: pairs.map(([name]) => name), noThink, addBos };
}

function variable(given: string): [string, unknown] {
  const [, name, text] = given.match(/^([\p{L}_][\p{L}\p{N}_]*)=([^]*)$/u) ?? [];
  const hint = `as in enable_thinking=false, or style='"brief"'`;
  if (name === undefined) {
    throw new HunchError("usage", `--template-variable ${JSON.stringify(given)} is not NAME=JSON`, { hint });
  }
  if (name === "messages") throw new HunchError("usage", "the template's messages are those of the conversation");
  try {
    return [name, JSON.parse(text)];
  } catch {
    throw new HunchError("usage", `the value of --template-variable ${name} is not JSON`, { hint });
  }
}

/** What a template is told. Throws HunchError("usage") where it does not know what it must. */
export function variablesFor(chat: ChatTemplate, settings: TemplateSettings): Record<string, unknown> {
  const { variables, needed, noThink } = settings;
  if (needed.length === 0 && !noThink) return variables;
  const reads = chat.variables;
  const told = reads.length > 0 ? `it reads ${reads.join(", ")}` : "it reads none";
  const unknown = needed.find((name) => !reads.includes(name) && !Object.hasOwn(GIVEN, name));
  if (unknown !== undefined) {
    throw new HunchError("usage", `the chat template has no variable ${unknown}`, { hint: told });
  }
  if (!noThink) return variables;
  const thinking = THINKING.find((name) => reads.includes(name));
  if (thinking !== undefined) return { ...variables, [thinking]: false };
  throw new HunchError("usage", `--no-think: the chat template has no variable ${THINKING.join(" or ")}`, {
    hint: `${told}; leave --no-think out`,
  });
}

/** Throws HunchError("usage") where the model has no template that can be told what `settings` say. */
export function refuseUntold(chat: ModelSource["chat"], settings: TemplateSettings): void {
  if (chat !== undefined) variablesFor(chat, settings);
  else if (settings.noThink || settings.needed.length > 0) {
    throw new HunchError("usage", "without a chat template nothing can be told to it", {
      hint: "leave its options out",
    });
  }
}

/** The template of a file that was named, or nothing. */
export async function templateFile(file: string | undefined): Promise<TemplateFile | undefined> {
  return file === undefined ? undefined : { text: await readWholeText(file), file };
}
