// --show-prompt: what the model would get, and its token ids. Nothing is loaded but the tokenizer, nothing is answered.
import { contextLength } from "../../kernels/rows.ts";
import { EXIT } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { openCache } from "../cache/cache.ts";
import type { GenerateCommand } from "./options.ts";
import { failureOf } from "../output/failure.ts";
import { ForeignFields } from "../input/fields.ts";
import { findModel } from "../engine/models.ts";
import { stderr, stdout, warn } from "../output/streams.ts";
import { cutLine } from "../output/summary.ts";
import { fitted, type Prompt, promptOf, readPrompt } from "../input/prompt.ts";
import { longestPrompt } from "../engine/longest-prompt.ts";
import { idOfLine, parseRequest } from "./requests.ts";
import { refuseUntold, templateFile, templateOf, type TemplateSettings } from "../input/template.ts";
import { type Line, stdinLines } from "../input/text.ts";

/** Returns the exit code: `partial` where some lines of --jsonl failed. */
export async function showPrompt(options: GenerateCommand): Promise<number> {
  const template = templateOf(options);
  const given = options.jsonl ? undefined : await readPrompt(options.prompt, options.files, longestPrompt(options));
  const own = await templateFile(options.chatTemplate);
  const path = await findModel(options.model, openCache());
  const source = await openModel(path, { context: options.context, template: own, warn });
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
    if (!line.blank && !showLine(line, source, template, foreign, options)) failed++;
  }
  return failed > 0 ? EXIT.partial : EXIT.ok;
}

function showLine(
  line: Line,
  source: ModelSource,
  template: TemplateSettings,
  foreign: ForeignFields,
  options: GenerateCommand,
): boolean {
  const { number } = line;
  let text = "";
  let result: object;
  let cut: number;
  try {
    text = line.text;
    const request = parseRequest(text, { ...options, template });
    foreign.see(number, request.foreign);
    const { prompt, maxTokens } = request.question(source);
    const seen = shown(prompt, source, { ...options, maxTokens });
    const id = request.id === undefined ? {} : { id: request.id };
    result = { line: number, ...id, ...asJson(seen.prompt) };
    cut = seen.cut;
  } catch (error) {
    const id = idOfLine(text);
    const failure = failureOf(error);
    stdout.line(JSON.stringify({ line: number, ...id === undefined ? {} : { id }, error: failure }));
    stderr.line(`hunch: line ${number}: ${failure.message}`);
    return false;
  }
  stdout.line(JSON.stringify(result));
  if (cut > 0 && options.summary !== false) stderr.line(`hunch: line ${number}: ${cutLine(cut)}`);
  return true;
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
