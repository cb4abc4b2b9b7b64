// A conversation: its messages, and the sequence that has computed them, so that each turn costs only what is new.
import type { Sequence } from "../src/backend.ts";
import type { Completion, Piece } from "../src/generate.ts";
import type { ChatMessage } from "../src/model/chat.ts";
import { HunchError } from "../src/errors.ts";
import { chatPrompt } from "./prompt.ts";
import type { Question, Session } from "./session.ts";
import type { TemplateSettings } from "./template.ts";

export class Conversation {
  #messages: ChatMessage[] = [];
  readonly #sequence: Sequence;
  /** Tokens in the sequence's cache. */
  #cached = new Int32Array(0);

  constructor(
    private readonly session: Session,
    private readonly settings: Omit<Question, "prompt" | "sequence" | "committed">,
    private readonly overflow: "refuse" | "truncate",
    public system: string | undefined,
    private readonly template: TemplateSettings,
  ) {
    this.#sequence = session.engine.open();
  }

  get messages(): readonly ChatMessage[] {
    return this.#system().concat(this.#messages);
  }

  /** Begins anew; the system prompt stays. What the next turn shares with this one is still computed. */
  reset(): void {
    this.#messages = [];
  }

  /**
   * Answers `content` in the light of everything before. An answer that was interrupted counts as far as it went; one
   * that failed leaves the conversation as it was. `dropped`: messages that were forgotten to make room.
   */
  async ask(
    content: string,
    see: (piece: Piece) => void,
    signal: AbortSignal,
  ): Promise<{ readonly question: Question; readonly completion: Completion; readonly dropped: number }> {
    const messages = [...this.#messages, { role: "user", content } as const];
    const before = messages.length;
    const prompt = this.#fit(messages);
    const question: Question = { ...this.settings, prompt, sequence: this.#sequence, committed: this.#cached };
    try {
      const completion = await this.session.answer(question, see, signal);
      this.#cached = Int32Array.from(completion.cached);
      this.#messages = [...messages, { role: "assistant", content: completion.text }];
      return { question, completion, dropped: before - messages.length };
    } catch (error) {
      this.#sequence.rewind(0); // how far it came is not known
      this.#cached = new Int32Array(0);
      throw error;
    }
  }

  close(): void {
    this.#sequence.close();
  }

  #system(): ChatMessage[] {
    return this.system === undefined ? [] : [{ role: "system", content: this.system }];
  }

  /** The prompt's tokens. With `truncate`, the oldest turns leave `messages` until an answer has room. */
  #fit(messages: ChatMessage[]): Int32Array {
    const { context } = this.session.engine;
    const room = Math.min(this.settings.maxTokens ?? 1, context >> 1);
    while (true) {
      const { tokens } = chatPrompt(this.session.source, this.#system().concat(messages), this.template);
      if (tokens.length + room <= context) return tokens;
      if (this.overflow === "truncate" && messages.length > 2) {
        messages.splice(0, 2);
        continue;
      }
      if (this.overflow === "truncate") return tokens; // one message alone is too long: its oldest tokens are dropped
      throw new HunchError(
        "input",
        `the conversation of ${tokens.length} tokens does not fit the context of ${context}`,
        {},
        "begin anew with /reset, or start with --overflow truncate",
      );
    }
  }
}
