// --show-prompt: what the model would get, and its token ids. Nothing is loaded but the tokenizer, nothing is answered.
import { contextLength } from "../../kernels/rows.ts";
import { EXIT } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { openCache } from "../cache/cache.ts";
import type { GenerateCommand } from "./options.ts";
import { answerLine, type LineAnswer } from "../input/answer-line.ts";
import { ForeignFields } from "../input/fields.ts";
import { openNamed } from "../engine/models.ts";
import { stderr, stdout } from "../output/streams.ts";
import { cutLine } from "../output/summary.ts";
import { fitted, type Prompt, promptOf, readPrompt } from "../input/prompt.ts";
import { longestPrompt } from "../engine/longest-prompt.ts";
import { parseRequest } from "./requests.ts";
import { refuseUntold, templateFile, templateOf, type TemplateSettings } from "../input/template.ts";
import { stdinLines } from "../input/text.ts";

/** Returns the exit code: `partial` where some lines of --jsonl failed. */
export async function showPrompt(options: GenerateCommand): Promise<number> {
  const template = templateOf(options);
  const given = options.jsonl ? undefined : await readPrompt(options.prompt, options.files, longestPrompt(options));
  const own = await templateFile(options.chatTemplate);
  const source = await openNamed(options.model, openCache(), { context: options.context, template: own });
  try {
    if (given === undefined) return await showLines(source, template, options);
    const { prompt, cut } = shown(promptOf(source, given, { ...options, template }), source, options);
    if (options.json) stdout.line(JSON.stringify(asJson(prompt)));
    else {
      stdout.line(prompt.text);
      stdout.line(prompt.tokens.join(","));
    }
    if (cut > 0 && options.summary !== false) stderr.line(`hunch: ${cutLine(cut)}`);
    return EXIT.ok;
  } finally {
    source.close();
  }
}

async function showLines(source: ModelSource, template: TemplateSettings, options: GenerateCommand): Promise<number> {
  refuseUntold(source.chat, template); // what is wrong for every line is told once
  const foreign = new ForeignFields((text) => stderr.line(text));
  let failed = 0;
  for await (const line of stdinLines()) {
    if (line.blank) continue;
    const show = (text: string) => showRequest(text, line.number, source, template, foreign, options);
    if (!await answerLine(line, show)) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

function showRequest(
  text: string,
  number: number,
  source: ModelSource,
  template: TemplateSettings,
  foreign: ForeignFields,
  options: GenerateCommand,
): LineAnswer {
  const { id, foreign: names, question } = parseRequest(text, { ...options, template });
  foreign.see(number, names);
  const { prompt: whole, maxTokens } = question(source);
  const { prompt, cut } = shown(whole, source, { ...options, maxTokens });
  const told = cut > 0 && options.summary !== false ? [`hunch: line ${number}: ${cutLine(cut)}`] : [];
  return { id, result: asJson(prompt), told };
}

/** What is left of a prompt with --overflow truncate, and how many tokens went. */
function shown(
  whole: Prompt,
  source: ModelSource,
  { overflow, context, maxTokens }: Pick<GenerateCommand, "overflow" | "context" | "maxTokens">,
): { readonly prompt: Prompt; readonly cut: number } {
  const prompt = overflow === "refuse" ? whole : fitted(whole, contextLength(source, context), maxTokens);
  return { prompt, cut: whole.tokens.length - prompt.tokens.length };
}

function asJson({ text, tokens }: Prompt): { prompt: string; tokens: number[] } {
  return { prompt: text, tokens: [...tokens] };
}
