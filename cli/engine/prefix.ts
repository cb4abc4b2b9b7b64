// One answer after the other in one sequence: what a prompt shares with the prompt before it is not computed again.
import type { Sequence } from "../../src/backend.ts";
import type { Completion, Piece } from "../../src/round/generate.ts";
import { scoreContinuation, type TokenScore } from "../../src/round/perplexity.ts";
import type { Question, Session } from "./session.ts";

export interface Answered {
  readonly completion: Completion;
  /** Of the answer's tokens, where the question asks for them. */
  readonly logprobs?: readonly TokenScore[];
}

export class Prefix {
  readonly #sequence: Sequence;
  /** The tokens in the sequence's cache. */
  #cached = new Int32Array(0);

  constructor(private readonly session: Session) {
    this.#sequence = session.engine.open();
  }

  /** Answers as the session does. Where that throws, the next answer begins anew. */
  async answer(question: Question, see: (piece: Piece) => void, signal?: AbortSignal): Promise<Answered> {
    try {
      const own = { sequence: this.#sequence, committed: this.#cached };
      const completion = await this.session.answer({ ...question, ...own }, see, signal);
      const logprobs = await this.#logprobs(question, completion);
      this.#keep(completion);
      return { completion, ...logprobs ? { logprobs } : {} };
    } catch (error) {
      this.#forget(0); // how far it came is not known
      throw error;
    }
  }

  close(): void {
    this.#sequence.close();
  }

  /** Computed once more as a chain after the prompt, so that they do not depend on how the tokens were found. */
  async #logprobs({ logprobs }: Question, { cached, tokens }: Completion): Promise<readonly TokenScore[] | undefined> {
    if (logprobs === undefined) return undefined;
    if (tokens.length === 0) return [];
    const root = cached.length - tokens.length; // the prompt's last token
    this.#sequence.rewind(root);
    return await scoreContinuation(this.session.engine, this.#sequence, cached[root], tokens, { top: logprobs });
  }

  /** The prompt stays. Nothing does where scores depend on what was computed before: requests must not tell of others. */
  #keep({ cached, tokens }: Completion): void {
    const prompt = Math.min(cached.length, cached.length + 1 - tokens.length);
    this.#cached = Int32Array.from(cached);
    this.#forget(this.session.engine.can.exact === "none" ? 0 : prompt);
  }

  #forget(length: number): void {
    this.#sequence.rewind(length);
    this.#cached = this.#cached.slice(0, length);
  }
}
