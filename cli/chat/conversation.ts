// A conversation: its messages, and the sequence that has computed them, so that each turn costs only what is new.
import type { Sequence } from "../../src/backend.ts";
import type { Completion, Piece } from "../../src/round/generate.ts";
import { HunchError } from "../../src/errors.ts";
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import { chatPrompt } from "../input/prompt.ts";
import type { Question, Session } from "../engine/session.ts";
import type { TemplateSettings } from "../input/template.ts";

export interface Answer {
  readonly question: Question;
  readonly completion: Completion;
}

export class Conversation {
  #messages: readonly ChatMessage[] = [];
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

  /** Goes on from `messages`. A system prompt in front of them becomes the conversation's. */
  load(messages: readonly ChatMessage[]): void {
    const [first] = messages;
    const hasSystem = first?.role === "system";
    if (hasSystem) this.system = first.content;
    this.#messages = messages.slice(hasSystem ? 1 : 0);
  }

  /**
   * Answers `content` in the light of everything before. An answer that was interrupted counts as far as it went; one
   * that failed leaves the conversation as it was. What is too long for the context stays in `messages`.
   */
  ask(content: string, see: (piece: Piece) => void, signal: AbortSignal): Promise<Answer> {
    return this.#answer([...this.#messages, { role: "user", content }], this.settings, see, signal);
  }

  /** Answers the last question again, with the random numbers of `seed`; the answer before is gone when there is one. */
  retry(seed: string, see: (piece: Piece) => void, signal: AbortSignal): Promise<Answer> {
    const last = this.#messages.findLastIndex(({ role }) => role === "user");
    if (last < 0) throw new HunchError("usage", "nothing was asked yet", { hint: "ask something first" });
    return this.#answer(this.#messages.slice(0, last + 1), { ...this.settings, seed }, see, signal);
  }

  close(): void {
    this.#sequence.close();
  }

  async #answer(
    messages: readonly ChatMessage[],
    settings: Omit<Question, "prompt">,
    see: (piece: Piece) => void,
    signal: AbortSignal,
  ): Promise<Answer> {
    const prompt = chatPrompt(this.session.source, this.#system().concat(messages), this.template);
    if (this.overflow === "refuse") this.#refuseTooLong(prompt.tokens.length);
    const question: Question = { ...settings, prompt, sequence: this.#sequence, committed: this.#cached };
    try {
      const completion = await this.session.answer(question, see, signal);
      this.#cached = Int32Array.from(completion.cached);
      this.#messages = [...messages, { role: "assistant", content: completion.text }];
      return { question, completion };
    } catch (error) {
      this.#sequence.rewind(0); // how far it came is not known
      this.#cached = new Int32Array(0);
      throw error;
    }
  }

  #system(): ChatMessage[] {
    return this.system === undefined ? [] : [{ role: "system", content: this.system }];
  }

  #refuseTooLong(tokens: number): void {
    const { context } = this.session.engine;
    if (tokens + Math.min(this.settings.maxTokens ?? 1, context >> 1) <= context) return;
    throw new HunchError("input", `the conversation of ${tokens} tokens does not fit the context of ${context}`, {
      hint: "begin anew with /reset, or start with --overflow truncate",
    });
  }
}
