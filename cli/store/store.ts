// hunch store: making stores of texts, and looking after them.
import { EXIT, HunchError } from "../../src/errors.ts";
import { DEFAULT_LIMIT, LEAST_LIMIT } from "../../src/store/manifest.ts";
import type { Vocabulary } from "../../src/store/segment.ts";
import { Store, type StoreInfo } from "../../src/store/store.ts";
import { openCache } from "../cache/cache.ts";
import { openStore, storeFolder, storeNames, vocabularyOf } from "../cache/stores.ts";
import { openNamed } from "../engine/models.ts";
import { describe } from "../output/failure.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { bytes, count, table, when } from "../output/table.ts";
import { textsOf } from "./texts.ts";

/** Adds texts to a store, or makes it of them first; the texts are all read before anything is written. */
export async function fillStore(
  { action, name, files, model, limit }: {
    readonly action: "build" | "add";
    readonly name: string;
    readonly files: readonly string[];
    readonly model: string | undefined;
    readonly limit?: number;
  },
): Promise<number> {
  const folder = storeFolder(name);
  const room = fitting(limit ?? DEFAULT_LIMIT);
  const status = new Status();
  const source = await openNamed(model, openCache());
  try {
    const own = vocabularyOf(source);
    if (action === "add") openStore(name, own).close(); // what cannot be is told before anything is read
    else if (storeNames().includes(name)) throw thereIsOne(name, folder);
    const { texts, left } = await textsOf(files, source, status.progress);
    if (texts.length === 0) throw new HunchError("usage", "there is no text in what was named", { file: files[0] });
    status.progress("sorting", 1);
    const { before, info } = filled(name, own, texts, action === "build" ? room : undefined);
    status.clear();
    for (const line of left) stderr.line(`hunch: left out: ${line}`);
    const gone = before + texts.length - info.texts;
    if (gone > 0) {
      stderr.line(`hunch: ${bytes(info.limit)} have no room for all: the ${plural(gone, "oldest text")} went`);
    }
    const tokens = texts.reduce((sum, { length }) => sum + length, 0);
    stdout.line(`${plural(texts.length, "text")}, ${plural(tokens, "token")} added to ${name}`);
    stdout.line(sizeLine(info));
  } finally {
    status.clear();
    source.close();
  }
  return EXIT.ok;
}

/** Adds the texts; with `room`, to a new store of that limit, of which nothing is left where they cannot be added. */
function filled(name: string, own: Vocabulary, texts: readonly Int32Array[], room: number | undefined) {
  const folder = storeFolder(name);
  if (room !== undefined) Store.create(folder, own, room);
  try {
    const store = openStore(name, own);
    try {
      const before = store.info().texts;
      store.add(texts);
      return { before, info: store.info() };
    } finally {
      store.close();
    }
  } catch (error) {
    if (room !== undefined) Store.remove(folder);
    throw error;
  }
}

function thereIsOne(name: string, folder: string): HunchError {
  const hint = `add to it: hunch store add ${name} FILE, or remove it: hunch store remove ${name}`;
  return new HunchError("usage", `there is a store ${name} already`, { file: folder, hint });
}

function fitting(limit: number): number {
  if (limit >= LEAST_LIMIT) return limit;
  throw new HunchError("usage", `a store has at least ${bytes(LEAST_LIMIT)}`, { hint: "give it more" });
}

const plural = (number: number, what: string) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

const sizeLine = ({ texts, tokens, bytes: size, limit }: StoreInfo) =>
  `${plural(texts, "text")}, ${plural(tokens, "token")}, ${bytes(size)} of ${bytes(limit)}`;

export function listStores({ json }: { readonly json: boolean }): number {
  const found = storeNames().flatMap((name) => {
    try {
      const store = openStore(name);
      const info = store.info();
      store.close();
      return [{ name, ...info }];
    } catch (error) {
      stderr.line(`hunch: ${describe(error)}`);
      return [];
    }
  });
  if (json) {
    stdout.line(JSON.stringify(found));
    return EXIT.ok;
  }
  const rows = found.map((info) => [
    info.name,
    plural(info.texts, "text"),
    plural(info.tokens, "token"),
    `${bytes(info.bytes)} of ${bytes(info.limit)}`,
    info.added === undefined ? "" : when(info.added),
    info.model,
  ]);
  for (const line of table(rows, [1, 2, 3])) stdout.line(line);
  if (found.length === 0) stdout.line("there are no stores");
  return EXIT.ok;
}

/** Reads all of the store. Returns EXIT.input where some of it is damaged. */
export function storeInfo({ name, json }: { readonly name: string; readonly json: boolean }): number {
  const store = openStore(name);
  try {
    const whole = store.verify();
    const info = store.info();
    if (json) stdout.line(JSON.stringify({ name, folder: store.folder, ...info, whole }));
    else {
      const rows = [
        ["folder", store.folder],
        ["vocabulary", `${info.vocab} tokens, that of ${info.model}`],
        ["texts", count(info.texts)],
        ["tokens", count(info.tokens)],
        [
          "size",
          `${bytes(info.bytes)} of ${bytes(info.limit)}, in ${info.files} ${info.files === 1 ? "file" : "files"}`,
        ],
        ...info.added === undefined ? [] : [["last added", when(info.added)]],
        ["state", whole ? "whole: every checksum holds" : "damaged: what is told above is left out"],
      ];
      for (const line of table(rows)) stdout.line(line);
    }
    return whole ? EXIT.ok : EXIT.input;
  } finally {
    store.close();
  }
}

export function shrinkStore({ name, limit }: { readonly name: string; readonly limit: number | undefined }): number {
  const store = openStore(name);
  try {
    if (!store.shrink(limit === undefined ? undefined : fitting(limit))) {
      throw new HunchError("unavailable", `another hunch is at work on the store ${name}`, { hint: "try again" });
    }
    stdout.line(sizeLine(store.info()));
    return EXIT.ok;
  } finally {
    store.close();
  }
}

export function removeStores({ names }: { readonly names: readonly string[] }): number {
  const folders = names.map((name) => {
    const folder = storeFolder(name);
    if (storeNames().includes(name)) return folder;
    throw new HunchError("usage", `there is no store ${name}`, { file: folder, hint: "hunch store list shows them" });
  });
  folders.forEach((folder, i) => {
    Store.remove(folder);
    stdout.line(`removed ${names[i]}`);
  });
  return EXIT.ok;
}
