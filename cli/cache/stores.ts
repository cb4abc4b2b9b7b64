// Stores by name: folders in the state folder.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { HunchError } from "../../src/errors.ts";
import { removeLeft } from "../../src/output-file.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { fingerprintOf } from "../../src/store/fingerprint.ts";
import type { Vocabulary } from "../../src/store/segment.ts";
import { Store } from "../../src/store/store.ts";
import { stderr } from "../output/streams.ts";
import { stateFolder } from "./state-folder.ts";

/** The folder of a store, which may not be there. Throws HunchError("usage") where the name or the home is none. */
export function storeFolder(name: string): string {
  const stores = storesFolder();
  if (stores === undefined) {
    throw new HunchError("usage", "there is no folder for stores", { hint: "set XDG_STATE_HOME or HOME" });
  }
  if (isName(name)) return join(stores, name);
  throw new HunchError("usage", `${JSON.stringify(name)} is no name for a store`, {
    hint: "letters, digits, _, - and . make a name",
  });
}

const isName = (name: string) => /^[\w][\w.-]{0,63}$/.test(name) && !name.endsWith(".tmp");

/** Names of all stores, sorted. What killed processes left beside them is cleared away. */
export function storeNames(): string[] {
  const stores = storesFolder();
  if (stores === undefined || !existsSync(stores)) return [];
  removeLeft(stores);
  return readdirSync(stores, { withFileTypes: true }).filter((entry) => !entry.isFile() && isName(entry.name))
    .map(({ name }) => name).sort();
}

function storesFolder(): string | undefined {
  const folder = stateFolder();
  return folder && join(folder, "stores");
}

/** The vocabulary that a store of texts for this model has. */
export function vocabularyOf({ tokenizer, title }: Pick<ModelSource, "tokenizer" | "title">): Vocabulary {
  return { tokenizer: fingerprintOf(tokenizer), vocab: tokenizer.vocab, model: title };
}

/** Throws HunchError where there is none, or it is of another vocabulary; what is damaged is told in a line. */
export function openStore(name: string, own?: Vocabulary): Store {
  return Store.open(storeFolder(name), (line) => stderr.line(`hunch: ${line}`), own);
}

/** The same, and makes one where there is none. */
export function openOrMakeStore(name: string, own: Vocabulary): Store {
  const folder = storeFolder(name);
  if (!existsSync(folder)) {
    try {
      Store.create(folder, own);
    } catch (error) {
      if (!existsSync(folder)) throw error; // else another process made it just now
    }
  }
  return openStore(name, own);
}
