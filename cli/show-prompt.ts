// --show-prompt: what the model would get, and its token ids. Nothing is loaded but the tokenizer, nothing is answered.
import { EXIT, HunchError } from "../src/errors.ts";
import { openModel } from "../src/model/open.ts";
import { openCache } from "./cache.ts";
import type { GenerateCommand } from "./commands/generate.ts";
import { describe } from "./failure.ts";
import { findModel } from "./models.ts";
import { ClosedPipe, stderr, stdout } from "./output/streams.ts";
import { type Prompt, promptOf, readPrompt } from "./prompt.ts";
import { idOfLine, parseRequest } from "./requests.ts";
import { templateFile, templateOf } from "./template.ts";
import { stdinLines, utf8 } from "./text.ts";

/** Returns the exit code: `partial` where some lines of --jsonl failed. */
export async function showPrompt(options: GenerateCommand): Promise<number> {
  const given = options.jsonl ? undefined : await readPrompt(options.prompt, options.files);
  const path = await findModel(options.model, openCache());
  const source = await openModel(path, { context: options.context, template: templateFile(options.chatTemplate) });
  const template = templateOf(options);
  try {
    if (given !== undefined) {
      const prompt = promptOf(source, given, { ...options, template });
      if (options.json) stdout.line(JSON.stringify(asJson(prompt)));
      else {
        stdout.line(prompt.text);
        stdout.line(prompt.tokens.join(","));
      }
      return EXIT.ok;
    }
    let failed = 0;
    for await (const { number, bytes } of stdinLines()) {
      if (bytes.every((byte) => byte === 32 || byte === 9)) continue;
      let text = "";
      try {
        text = utf8(bytes, "stdin");
        const request = parseRequest(text, { ...options, template });
        const id = request.id === undefined ? {} : { id: request.id };
        stdout.line(JSON.stringify({ line: number, ...id, ...asJson(request.prompt(source)) }));
      } catch (error) {
        if (error instanceof ClosedPipe || !(error instanceof HunchError) || error.kind === "unavailable") throw error;
        failed++;
        const id = idOfLine(text);
        const message = describe(error);
        stdout.line(
          JSON.stringify({ line: number, ...id === undefined ? {} : { id }, error: { kind: error.kind, message } }),
        );
        stderr.line(`hunch: line ${number}: ${message}`);
      }
    }
    return failed > 0 ? EXIT.partial : EXIT.ok;
  } finally {
    source.close();
  }
}

function asJson({ text, tokens }: Prompt): { prompt: string; tokens: number[] } {
  return { prompt: text, tokens: [...tokens] };
}
