// Chat messages to prompt text, by the model's own template.
import { HunchError } from "../errors.ts";
import { BudgetError, parseTemplate, renderTemplate } from "./jinja.ts";
import { formatTime } from "./strftime.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatTemplate {
  readonly text: string;
  /** Renders with the generation prompt appended. Throws HunchError("input") where the template fails or runs away. */
  render(messages: readonly ChatMessage[]): string;
}

/** What a template may refer to besides the messages. */
export interface TemplateContext {
  /** Spelling of the tokens, as the vocabulary has them; "" where there is none. */
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** More variables, e.g. `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What time `strftime_now` tells; the present by default. */
  readonly now?: () => Date;
}

/** A template as `tokenizer.chat_template` or `chat_template.jinja` has it. It is parsed when it is first rendered. */
export function chatFromTemplate(text: string, context: TemplateContext, file: string): ChatTemplate {
  const now = context.now ?? (() => new Date());
  const refuse = (error: unknown): HunchError => {
    const place = { file, field: "chat_template" };
    const hint = "use --raw to do without the template";
    if (error instanceof BudgetError) return new HunchError("input", `the chat template ${error.message}`, place, hint);
    // Too deep a stack is the engine's RangeError, whatever the template did to get there.
    const reason = error instanceof RangeError ? "it is too large or nested too deeply" : message(error);
    return new HunchError("input", `the chat template fails: ${reason}`, place, hint);
  };
  let parsed: ReturnType<typeof parseTemplate> | undefined;
  return {
    text,
    render(messages) {
      const variables = {
        tools: null,
        documents: null,
        ...context.variables,
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: true,
        bos_token: context.bosToken ?? "",
        eos_token: context.eosToken ?? "",
        raise_exception: (reason: unknown) => {
          throw new Error(String(reason));
        },
        strftime_now: (format: unknown) => formatTime(now(), String(format)),
      };
      const size = messages.reduce((sum, { role, content }) => sum + role.length + content.length, 0);
      try {
        parsed ??= parseTemplate(text);
        return renderTemplate(parsed, variables, size);
      } catch (error) {
        throw refuse(error);
      }
    },
  };
}

function message(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
