// A store: texts on the disk in which drafts are looked up. A folder with store.json, a lock and files of some texts
// each (segments), which come and go as a whole. Whoever adds texts makes a file of their own, so that nobody waits and
// nothing is lost; now and then whoever has the lock makes one file of several. Data only: nothing in it is ever run.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HunchError } from "../errors.ts";
import { removeIfPossible, removeLeft, temporaryBeside, WriteError } from "../output-file.ts";
import { type Corpus, END, IndexedCorpus, type Places } from "./corpus.ts";
import { makeLock, withLock } from "./lock.ts";
import { DEFAULT_LIMIT, LEAST_LIMIT, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { manifestAgain } from "./manifest-again.ts";
import { joined, known, packed } from "./packing.ts";
import { MOST_TOKENS, Segment, segmentBytes, segmentNames, timeOf, type Vocabulary, writeSegment } from "./segment.ts";
import { BlockCache, costsOnePart, DamagedError, unreadable, UnreadableError, WORDS } from "./words.ts";

/** What a store holds. */
export interface StoreInfo extends Manifest {
  readonly texts: number;
  /** Tokens of the texts. */
  readonly tokens: number;
  /** Of its files. */
  readonly bytes: number;
  readonly files: number;
  /** When a text was added last, in milliseconds since 1970; undefined where none was. */
  readonly added?: number;
}

/** Tokens of a segment that several are made into while somebody waits: sorting so many takes some tenths of a second. */
const MERGED = 2 ** 20;
/** A full store is emptied to this part of its limit, oldest texts first. */
const ROOM = 0.9;
/** Looks at a folder that changes under one's eyes. */
const LOOKS = 10;

export class Store implements Corpus {
  readonly #corpus: IndexedCorpus;
  readonly #cache = new BlockCache();
  /** By name, those that can be read. */
  readonly #segments = new Map<string, Segment>();
  /** Names of segments that turned out to be damaged, or could not be read. */
  readonly #damaged = new Set<string>();
  #names = "";
  #manifest: Manifest;

  private constructor(readonly folder: string, manifest: Manifest, private readonly warn: (line: string) => void) {
    this.#manifest = manifest;
    this.#corpus = new IndexedCorpus(manifest.vocab, (index, error) => {
      const segment = index as Segment;
      this.#setAside(segment.name, error);
      segment.close();
      this.#segments.delete(segment.name);
    });
  }

  /**
   * Opens the store in `folder`. `warn` gets a line about each part that is damaged or cannot be read: it is left out, and
   * of what is whole in it a new part is made when the next text is added. Throws HunchError where there is none, it is
   * not to be read, or it belongs to another vocabulary than `own`.
   */
  static open(folder: string, warn: (line: string) => void, own?: Vocabulary): Store {
    if (!existsSync(folder)) {
      throw new HunchError("usage", `there is no store ${basename(folder)}`, {
        file: folder,
        hint: `make one: hunch store build ${basename(folder)} FILE, or --store ${basename(folder)}`,
      });
    }
    removeLeft(folder);
    const manifest = readManifest(folder) ?? manifestAgain(folder, warn);
    if (own !== undefined && own.tokenizer !== manifest.tokenizer) {
      throw new HunchError(
        "input",
        `the store ${
          basename(folder)
        } belongs to the tokenizer of ${manifest.model} (${manifest.vocab} tokens), not to ` +
          `that of ${own.model} (${own.vocab})`,
        { file: folder, hint: "use another name for texts of this model" },
      );
    }
    const store = new Store(folder, manifest, warn);
    store.refresh();
    return store;
  }

  /** Makes an empty store, readable by its owner alone. Throws HunchError("usage") where one of this name is there. */
  static create(folder: string, about: Vocabulary, limit = DEFAULT_LIMIT): void {
    const fresh = temporaryBeside(folder);
    try {
      mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
      removeLeft(dirname(folder));
      mkdirSync(fresh, { mode: 0o700 });
      makeLock(fresh);
      writeManifest(fresh, { ...about, limit });
      renameSync(fresh, folder);
    } catch (error) {
      removeIfPossible(fresh);
      const { code } = error as { code?: string };
      if (!existsSync(folder)) {
        throw code === undefined ? error : new WriteError(code, folder, "make room for it there");
      }
      throw new HunchError("usage", `there is a store ${basename(folder)} already`, {
        file: folder,
        hint: `add to it: hunch store add ${basename(folder)} FILE`,
      });
    }
  }

  /** Removes the store and all that is in it. */
  static remove(folder: string): void {
    removeLeft(dirname(folder));
    const aside = temporaryBeside(folder);
    renameSync(folder, aside); // nobody ever sees half of it
    rmSync(aside, { recursive: true, force: true });
  }

  get tokens(): number {
    return this.#corpus.tokens;
  }

  get vocab(): number {
    return this.#manifest.vocab;
  }

  find(text: ArrayLike<number>, most: number, least?: number): Places | undefined {
    return this.#corpus.find(text, most, least);
  }

  info(): StoreInfo {
    const segments = this.#ordered();
    const sum = (of: (segment: Segment) => number) => segments.reduce((sum, segment) => sum + of(segment), 0);
    return {
      ...this.#manifest,
      texts: sum(({ header }) => header.texts),
      tokens: sum(({ header }) => header.tokens - header.texts),
      bytes: sum(({ bytes }) => bytes),
      files: segments.length,
      ...segments.length > 0 ? { added: Math.max(...segments.map(({ name }) => timeOf(name))) } : {},
    };
  }

  /**
   * Adds finished texts; tokens outside the vocabulary are left out, and part their text in two. When it returns they
   * are in the store, whatever happens to this process; a power failure may still cost the last few seconds' texts.
   * Throws HunchError where they cannot be written, or the store is another one by now.
   */
  add(texts: readonly Int32Array[]): void {
    const own = this.#manifest.tokenizer;
    if ((readManifest(this.folder)?.tokenizer ?? own) !== own) throw madeAnew(this.folder);
    for (const text of packed(texts.flatMap((text) => known(text, this.vocab)))) {
      writeSegment(this.#newPath(), text, this.#manifest, []);
    }
    this.refresh();
    withLock(this.folder, () => this.#tidy());
  }

  /**
   * Sets the limit, drops the oldest texts until the rest fits it, and makes few files of many. Waits for nobody: false
   * where another is at it. Throws HunchError where the store is another one by now.
   */
  shrink(limit?: number): boolean {
    return withLock(this.folder, () => {
      if (!this.#isStillOurs()) throw madeAnew(this.folder);
      if (limit !== undefined) {
        writeManifest(this.folder, { ...this.#manifest, limit: Math.max(LEAST_LIMIT, limit) });
      }
      this.#tidy(1, MOST_TOKENS);
      return true;
    }) ?? false;
  }

  /** Reads all of it, and tells of what is damaged. True where nothing is. */
  verify(): boolean {
    for (const segment of this.#ordered()) {
      try {
        segment.verify();
      } catch (error) {
        if (!costsOnePart(error)) throw error;
        this.#setAside(segment.name, error);
      }
    }
    return this.#damaged.size === 0;
  }

  refresh(): void {
    for (let look = 0; look < LOOKS; look++) {
      const names = segmentNames(this.folder);
      if (names.join() === this.#names) return;
      if (names.every((name) => this.#open(name))) {
        for (const [name, segment] of this.#segments) {
          if (names.includes(name)) continue;
          segment.close();
          this.#segments.delete(name);
        }
        for (const name of this.#damaged) if (!names.includes(name)) this.#damaged.delete(name);
        this.#names = names.join();
        this.#corpus.indexes = this.#ordered();
        return;
      }
    }
    throw new HunchError("unavailable", "this store changes faster than it can be read", { file: this.folder });
  }

  close(): void {
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
    this.#corpus.indexes = [];
    this.#names = "";
  }

  /** False where it is gone meanwhile. */
  #open(name: string): boolean {
    if (this.#segments.has(name) || this.#damaged.has(name)) return true;
    try {
      const segment = Segment.open(join(this.folder, name), name, this.#cache);
      if (segment.header.tokenizer === this.#manifest.tokenizer) this.#segments.set(name, segment);
      else segment.close();
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return false;
      const told = unreadable(join(this.folder, name), error);
      if (!costsOnePart(told)) throw told;
      this.#setAside(name, told);
    }
    return true;
  }

  /** Those that count, oldest first. */
  #ordered(): Segment[] {
    const replaced = this.#replaced();
    return this.#good().filter(({ name }) => !replaced.has(name)).sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Names of those whose texts are in others. */
  #replaced(): Set<string> {
    return new Set(this.#good().flatMap(({ header }) => header.replaces));
  }

  #good(): Segment[] {
    return [...this.#segments.values()].filter(({ name }) => !this.#damaged.has(name));
  }

  #setAside(name: string, error: DamagedError | UnreadableError): void {
    if (this.#damaged.has(name)) return;
    this.#damaged.add(name);
    const then = error instanceof DamagedError ? "it is left out, and mended" : "it is left out, and tried again";
    this.warn(`${error.line}; ${then} when the next text is added`);
  }

  /** Without a time, one that is later than those of all others: the names are the order of the texts. */
  #newPath(time?: number): string {
    const newest = segmentNames(this.folder).at(-1);
    time ??= Math.max(Date.now(), newest === undefined ? 0 : timeOf(newest) + 1);
    return join(this.folder, `${String(time).padStart(14, "0")}-${randomBytes(6).toString("hex")}.texts`);
  }

  /** Under the lock: mends, makes few segments of many, and keeps to the limit. */
  #tidy(room = ROOM, most = MERGED): void {
    if (!this.#isStillOurs()) return;
    this.refresh();
    try {
      for (const name of this.#damaged) this.#mend(name);
      this.refresh();
      for (const name of this.#replaced()) if (this.#segments.has(name)) this.#drop(name); // a killed process left it
      this.#merge(most);
      this.refresh();
      this.#fit(room);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error; // the rest is for the next time
    } finally {
      this.refresh();
    }
  }

  /** Reads the limit again, which another process may have changed. False where the store was removed and made anew. */
  #isStillOurs(): boolean {
    const manifest = readManifest(this.folder);
    if (manifest?.tokenizer !== this.#manifest.tokenizer) return false;
    this.#manifest = manifest;
    return true;
  }

  /**
   * Makes one segment of the newest ones, as long as each is no larger than those after it together; with room for the
   * most tokens, of all: as few as hold them.
   */
  #merge(most: number): void {
    const segments = this.#ordered();
    const all = most === MOST_TOKENS;
    for (let end = segments.length; end > 0;) {
      let from = end - 1;
      let { tokens } = segments[from].header;
      for (; from > 0; from--) {
        const next = segments[from - 1].header.tokens;
        if (!all && next > tokens || next + tokens > most) break;
        tokens += next;
      }
      const run = segments.slice(from, end);
      if (run.length > 1) this.#replace(run, joined(run.map((segment) => this.#textOf(segment).text)));
      if (!all) return;
      end = from;
    }
  }

  /** Drops the oldest texts where the store is larger than its limit. */
  #fit(room: number): void {
    let bytes = this.info().bytes;
    if (bytes <= this.#manifest.limit) return;
    for (const segment of this.#ordered()) {
      const over = bytes - room * this.#manifest.limit;
      if (over <= 0) break;
      if (segment.bytes <= over) this.#drop(segment.name);
      else this.#cut(segment, segmentBytes(segment.header.tokens, this.vocab) - over);
      bytes -= segment.bytes;
    }
  }

  /** Drops the oldest texts of a segment such that the others have no more than so many bytes, and of the last its end. */
  #cut(segment: Segment, bytes: number): void {
    const { text, lost } = this.#textOf(segment);
    const fits = (from: number) => segmentBytes(text.length - from, this.vocab) <= bytes;
    let from = 0;
    let next = 0; // where a text begins
    while (next < text.length && !fits(next)) {
      from = next;
      next = text.indexOf(END, next) + 1;
    }
    if (next < text.length) from = next;
    else while (from < text.length && !fits(from)) from = Math.min(text.length, from + WORDS);
    // Without whole texts the order stays the same; with the end of one, what was before it changed that.
    const places = from === next && lost === 0 ? segment.wholePlaces() : undefined;
    this.#replace([segment], text.subarray(from), places?.filter((place) => place > from).map((place) => place - from));
  }

  /** Makes a new segment of what is whole in a damaged one; one that cannot be read now is left for later. */
  #mend(name: string): void {
    const path = join(this.folder, name);
    try {
      const segment = this.#segments.get(name) ?? this.#reopened(name);
      const { text } = this.#textOf(segment);
      if (text.length === 0) throw new DamagedError("no block of it is whole", path);
      this.#replace([segment], text);
      this.warn(`the store ${basename(this.folder)} is mended (${name})`);
    } catch (error) {
      if (!costsOnePart(error)) throw error;
      if (error instanceof UnreadableError) return;
      this.#forget(name);
      if (!renameIfPossible(path, `${path}.damaged`)) return; // hunch finds nothing in it; its owner may
      this.warn(`a part of the store ${basename(this.folder)} could not be mended and is kept aside (${path}.damaged)`);
    }
    this.#damaged.delete(name);
  }

  /** What is whole of a segment's texts; one that cannot be read is set aside. */
  #textOf(segment: Segment): { readonly text: Int32Array; readonly lost: number } {
    try {
      const { text, lost } = segment.wholeTexts(this.vocab);
      if (lost > 0) this.warn(`${lost} tokens of the store ${basename(this.folder)} are lost (${segment.path})`);
      return { text, lost };
    } catch (error) {
      if (error instanceof UnreadableError) this.#setAside(segment.name, error);
      throw error;
    }
  }

  #reopened(name: string): Segment {
    const path = join(this.folder, name);
    try {
      const segment = Segment.open(path, name, this.#cache);
      this.#segments.set(name, segment);
      return segment;
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Puts `text` in the place of some segments: a moment's both count once, for the new one names the old ones. */
  #replace(segments: readonly Segment[], text: Int32Array, places?: Int32Array): void {
    const names = segments.map(({ name }) => name);
    const there = segmentNames(this.folder); // what one of them replaced may not have been removable
    const replaced = [
      ...names,
      ...segments.flatMap(({ header }) => header.replaces).filter((name) => there.includes(name)),
    ];
    if (text.length > 0) {
      writeSegment(this.#newPath(timeOf(names[names.length - 1])), text, this.#manifest, replaced, places);
    }
    for (const name of names) this.#drop(name);
  }

  /** On systems that keep what is open, such as Windows, the file may stay for now. */
  #drop(name: string): void {
    removeIfPossible(join(this.folder, name));
    this.#forget(name);
  }

  #forget(name: string): void {
    this.#segments.get(name)?.close();
    this.#segments.delete(name);
    this.#names = "";
  }
}

const madeAnew = (file: string) =>
  new HunchError("unavailable", "this store was made anew meanwhile, for another model", { file, hint: "try again" });

/** False for now where another process has it open, on systems that keep what is. */
function renameIfPossible(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
