// The stores of one session: that of --store, which grows by the answers, and those that methods name.
import type { Completion } from "../../src/generation.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import type { Vocabulary } from "../../src/store/segment.ts";
import type { Store } from "../../src/store/store.ts";
import { openOrMakeStore, openStore, vocabularyOf } from "../cache/stores.ts";
import { describe } from "../output/failure.ts";
import { stderr } from "../output/streams.ts";

/** So much of the prompt is kept in front of an answer, for its first words to be found by. */
const LEAD = 16;

export class Stores {
  readonly #open = new Map<string, Store>();
  #vocabulary: Vocabulary | undefined;

  /** Opens the store `own`, to which answers are added, and makes it where there is none. */
  constructor(private readonly source: ModelSource, private own?: string) {
    if (own !== undefined) this.#open.set(own, openOrMakeStore(own, this.#ownVocabulary()));
  }

  readonly corpus: NonNullable<PluginContext["corpus"]> = (name = this.own) => {
    if (name === undefined) return undefined;
    const store = this.#open.get(name) ?? openStore(name, this.#ownVocabulary());
    this.#open.set(name, store);
    return store;
  };

  /** What other processes have added counts from here on. */
  refresh(): void {
    for (const [name, store] of this.#open) {
      try {
        store.refresh();
      } catch (error) {
        stderr.line(`hunch: what others added to the store ${name} is not looked up: ${describe(error)}`);
      }
    }
  }

  /** Adds an answer that came to its end. Where that fails the answer stands, and a line says so. */
  keep(prompt: Int32Array, { tokens, finish }: Completion): void {
    if (this.own === undefined || tokens.length === 0 || finish === "aborted") return;
    const lead = prompt.subarray(Math.max(0, prompt.length - LEAD));
    try {
      this.#open.get(this.own)!.add([Int32Array.of(...lead, ...tokens)]);
    } catch (error) {
      stderr.line(`hunch: answers are not added to the store ${this.own} any more: ${describe(error)}`);
      this.own = undefined;
    }
  }

  close(): void {
    for (const store of this.#open.values()) store.close();
  }

  #ownVocabulary(): Vocabulary {
    return this.#vocabulary ??= vocabularyOf(this.source);
  }
}
