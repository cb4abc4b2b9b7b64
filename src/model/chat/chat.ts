// Chat messages to prompt text, by the model's own template.
import { HunchError } from "../../errors.ts";
import {
  BudgetError,
  Dict,
  fromJson,
  List,
  parseTemplate,
  type Rendered,
  renderTemplate,
  said,
  type Template,
  TemplateError,
  type Value,
  variablesOf,
} from "./jinja/mod.ts";

export type { Rendered } from "./jinja/mod.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatTemplate {
  readonly text: string;
  /**
   * Variables that it reads and that whoever asks may set, such as `enable_thinking`, in the order in which it reads
   * them. Throws HunchError("input") where the template is broken.
   */
  readonly variables: readonly string[];
  /**
   * Renders with the generation prompt appended. `variables` are values of JSON. Throws HunchError("input") where the
   * template fails or runs away.
   */
  render(messages: readonly ChatMessage[], variables?: Readonly<Record<string, unknown>>): Rendered;
}

/** What a template may refer to besides the messages. */
export interface TemplateContext {
  /** Spelling of the special tokens, by the names that templates know: `bos_token`, `eos_token`, `unk_token`, … */
  readonly specials?: Readonly<Record<string, string>>;
  /** What time `strftime_now` tells; the present by default. */
  readonly now?: () => Date;
}

/** What is always given; a request may say otherwise, but for the messages. */
export const GIVEN: Readonly<Record<string, unknown>> = {
  tools: null,
  documents: null,
  add_generation_prompt: true,
  bos_token: "",
  eos_token: "",
};

/**
 * A template as `tokenizer.chat_template` or `chat_template.jinja` has it; undefined where it is empty. It is parsed when
 * it is first used.
 */
export function chatFromTemplate(text: string, context: TemplateContext, file: string): ChatTemplate | undefined {
  if (text.trim() === "") return undefined;
  const now = context.now ?? (() => new Date());
  const given = { ...GIVEN, ...context.specials };
  let parsed: Template | undefined;
  /** What goes wrong is the template's, or that of what it was given. */
  const withTemplate = <T>(use: (template: Template) => T): T => {
    try {
      return use(parsed ??= parseTemplate(text));
    } catch (error) {
      throw refusal(error, file);
    }
  };
  return {
    text,
    get variables() {
      return withTemplate(variablesOf).filter((name) => name !== "messages" && !Object.hasOwn(given, name));
    },
    render: (messages, variables = {}) =>
      withTemplate((template) => {
        const values: Record<string, Value> = {};
        for (const [name, value] of Object.entries({ ...given, ...variables })) values[name] = fromJson(value);
        values.messages = new List(
          messages.map(({ role, content }) => Dict.of([["role", role], ["content", said(content)]])),
        );
        const size = messages.reduce((sum, { content }) => sum + 1000 + content.length, 0);
        return renderTemplate(template, values, size + JSON.stringify(variables).length, now);
      }),
  };
}

function refusal(error: unknown, file: string): HunchError {
  const place = { file, field: "chat_template" };
  const hint = "use --raw to do without the template, or --chat-template FILE for another one";
  if (error instanceof BudgetError) {
    return new HunchError("input", `the chat template ${error.message}`, { ...place, hint });
  }
  if (error instanceof TemplateError) {
    return new HunchError("input", `the chat template fails: ${error.message.slice(0, 300)}`, { ...place, hint });
  }
  // Too deep a stack is the engine's RangeError, whatever the template did to get there.
  if (error instanceof RangeError) {
    return new HunchError("input", "the chat template fails: it is too large or nested too deeply", { ...place, hint });
  }
  throw error;
}
