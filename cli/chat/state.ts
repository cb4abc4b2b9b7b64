// What hunch chat keeps across starts, in the state folder and for its owner alone: what was typed, and the last
// conversation. Nothing here can be made again, so none of it is in the cache.
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../../src/errors.ts";
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import { writeOutput } from "../../src/output-file.ts";
import { messagesOf } from "../generate/requests.ts";
import { readTextFile } from "../input/text.ts";

const PRIVATE = 0o600;
/** Bytes of the history from which on the older half goes. */
const MOST_HISTORY = 2 ** 20;
/** Characters of a turn that is kept in the history; a conversation has all of it. */
const LONGEST_TURN = 2 ** 17;

export class ChatState {
  readonly #history: string;
  readonly #conversation: string;
  /** True where nothing was kept here before. */
  readonly fresh: boolean;

  constructor(readonly folder: string) {
    this.#history = join(folder, "history.jsonl");
    this.#conversation = join(folder, "conversation.json");
    this.fresh = !existsSync(this.#history) && !existsSync(this.#conversation);
  }

  /** What was typed, oldest first. Lines that are damaged are left out. */
  history(): string[] {
    let text: string;
    try {
      text = readFileSync(this.#history, "utf8");
    } catch {
      return [];
    }
    const turns = text.split("\n").flatMap((line) => {
      try {
        const turn: unknown = JSON.parse(line);
        return typeof turn === "string" ? [turn] : [];
      } catch {
        return [];
      }
    });
    if (text.length > MOST_HISTORY) {
      const lines = turns.map((turn) => JSON.stringify(turn));
      let bytes = 0;
      let from = lines.length;
      while (from > 0 && bytes + lines[from - 1].length < MOST_HISTORY / 2) bytes += lines[--from].length + 1;
      writeOutput(this.#history, lines.slice(from).map((line) => `${line}\n`).join(""), { mode: PRIVATE });
      return turns.slice(from);
    }
    return turns;
  }

  /** Throws where nothing can be written. */
  add(turn: string): void {
    if (turn.length > LONGEST_TURN) return;
    this.#make();
    appendFileSync(this.#history, `${JSON.stringify(turn)}\n`, { mode: PRIVATE });
    chmodSync(this.#history, PRIVATE);
  }

  /** Throws where nothing can be written. */
  keep(messages: readonly ChatMessage[]): void {
    this.#make();
    writeOutput(this.#conversation, messagesText(messages), { mode: PRIVATE });
    chmodSync(this.#conversation, PRIVATE);
  }

  /** The messages of the last conversation. Throws HunchError where there is none. */
  async last(): Promise<ChatMessage[]> {
    if (existsSync(this.#conversation)) return await readMessages(this.#conversation);
    throw new HunchError("usage", "there is no conversation to go on with", {
      file: this.#conversation,
      hint: "leave --continue out",
    });
  }

  /** Removes all of it and returns what there was. */
  forget(): string[] {
    const there = [this.#history, this.#conversation].filter((path) => existsSync(path));
    for (const path of there) rmSync(path);
    return there;
  }

  #make(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }
}

/** As /save writes it and a request takes it. */
export function messagesText(messages: readonly ChatMessage[]): string {
  return JSON.stringify(messages, null, 2) + "\n";
}

/** Throws HunchError where the file holds no messages. */
export async function readMessages(file: string): Promise<ChatMessage[]> {
  const text = await readTextFile(file);
  try {
    const value = JSON.parse(text) as { messages?: unknown } | null;
    return messagesOf(Array.isArray(value) ? value : value?.messages);
  } catch (error) {
    const { message, place, hint } = error as Partial<HunchError> & Error;
    throw new HunchError("input", `this is no conversation: ${message}`, {
      ...place,
      file,
      hint: hint || "name a file that /save wrote",
    });
  }
}
