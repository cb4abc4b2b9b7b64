// What is typed at a terminal: keys and pastes, what they do to the text, and how it looks.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import { Block } from "../../cli/input/block.ts";
import { Editor } from "../../cli/terminal/editor.ts";
import { type Key, KeyDecoder } from "../../cli/terminal/keys.ts";
import { Screen } from "../../cli/terminal/screen.ts";
import { because } from "../support/skip.ts";
import { chatModel, COMMAND, FOLDER } from "./support/cli.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const decode = (...pieces: string[]) => {
  const decoder = new KeyDecoder();
  return pieces.flatMap((piece) => decoder.feed(bytes(piece)));
};

test("keys are told apart from text, whole or in pieces", () => {
  const sent = "hé\x1b[D\x1b[1;5C\x01\x7f\x1b\r\x1bb😀\r";
  const keys = [{ typed: "hé" }, "left", "word right", "home", "backspace", "newline", "word left", {
    typed: "😀",
  }, "enter"];
  assert.deepEqual(decode(sent), keys);
  const decoder = new KeyDecoder();
  assert.deepEqual(decode("a\x1b[", "D", "b"), [{ typed: "a" }, "left", { typed: "b" }]);
  assert.deepEqual(decoder.feed(bytes("\x1b")), []); // the Escape key does nothing
  assert.deepEqual(decoder.feed(bytes("x")), [{ typed: "x" }]);
  assert.deepEqual(decode("\x1b[99~z"), [{ typed: "z" }]); // a key that nobody knows
});

test("a paste is one piece of text, wherever it is cut, with its line breaks", () => {
  const paste = "\x1b[200~one\r\ntwo\rthree\n\x1b[31m\x03\x1b[201~\r";
  const keys = [{ pasted: "one\ntwo\nthree\n\x1b[31m\x03" }, "enter"];
  for (let cut = 6; cut < paste.length; cut++) {
    assert.deepEqual(decode(paste.slice(0, cut), paste.slice(cut)), keys, `cut at ${cut}`);
  }
});

/** Types keys; the turns that came of them, and the editor. */
function type(keys: readonly Key[], history: readonly string[] = [], words: readonly string[] = []) {
  const editor = new Editor(history, words);
  const outcomes = keys.map((key) => editor.press(key)).filter((outcome) => outcome !== undefined);
  return { editor, outcomes };
}
const t = (typed: string): Key => ({ typed });

test("lines go on behind a backslash, between quotes and in a paste; else Enter ends the turn", () => {
  const turns = (...keys: Key[]) => type([...keys, "enter"]).outcomes;
  assert.deepEqual(turns(t("one")), [{ turn: "one" }]);
  assert.deepEqual(turns(t("one\\"), "enter", t("two")), [{ turn: "one\ntwo" }]);
  assert.deepEqual(turns(t("one"), "newline", t("two")), [{ turn: "one\ntwo" }]);
  assert.deepEqual(turns(t('"""'), "enter", t("a\\"), "enter", t('b"""')), [{ turn: "a\\\nb" }]);
  assert.deepEqual(turns(t('"""said"""')), [{ turn: "said" }]);
  assert.deepEqual(turns({ pasted: "one\ntwo\\" }), [{ turn: "one\ntwo\\" }]);
  assert.deepEqual(turns({ pasted: '"""a docstring\n' }), [{ turn: '"""a docstring\n' }]);
});

test("lines of a pipe make the same turns", () => {
  const turns = (lines: readonly string[]) => {
    const block = new Block();
    return [...lines.map((line) => block.add(line)), block.end()].filter((turn) => turn !== undefined);
  };
  assert.deepEqual(turns(["one", "two\\", "three", "", " /four"]), ["one", "two\nthree", "", " /four"]);
  assert.deepEqual(turns(['"""', "a", "", "b\\", '"""', "c"]), ["a\n\nb\\", "c"]);
  assert.deepEqual(turns(['"""a', 'b"""', '"""c"""', '""""']), ["a\nb", "c", '"']);
  assert.deepEqual(turns(['"""', "open"]), ["open"]);
  assert.deepEqual(turns(["open\\"]), ["open"]);
});

test("Ctrl-C clears what is typed and ends only where nothing is", () => {
  const { editor, outcomes } = type([t("half"), "interrupt"]);
  assert.deepEqual([editor.text, outcomes], ["", []]);
  assert.equal(editor.press("interrupt"), "interrupt");
  assert.equal(editor.press("end of input"), "end of input");
});

test("characters as people see them are moved over and deleted as one", () => {
  const family = "👨‍👩‍👧";
  assert.equal(type([t(`a${family}é`), "left", "left", "backspace"]).editor.text, `${family}é`);
  assert.equal(type([t(`a${family}é`), "left", "backspace"]).editor.text, "aé");
  assert.equal(type([t(family), "home", "delete"]).editor.text, "");
  assert.equal(type([t("one two"), "delete word", t("2")]).editor.text, "one 2");
  assert.equal(type([{ pasted: "one\ntwo" }, "delete to start", "backspace"]).editor.text, "one");
});

test("the history is walked through, and what was being typed comes back", () => {
  const { editor } = type([t("now"), "up", "up"], ["first", "a\nb"]);
  assert.equal(editor.text, "a\nb"); // its second line, and then its first
  editor.press("up");
  assert.equal(editor.text, "first");
  for (const key of ["down", "down", "down"] as const) editor.press(key);
  assert.equal(editor.text, "now");
  assert.deepEqual(type([t("/sa"), "tab"], [], ["/save", "/stats"]).editor.text, "/save ");
});

/** As much of a terminal as is needed: rows that scroll. */
class Glass {
  screen: string[][] = [[]];
  row = 0;
  column = 0;
  written = 0;
  constructor(readonly columns: number, readonly rows: number) {}

  write(text: string): void {
    this.written += text.length;
    for (const [unit, count, letter] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|\r|\n|[^]/gu)) {
      const steps = Number(count || 1);
      if (unit === "\r") this.column = 0;
      else if (unit === "\n") this.#down();
      else if (letter === "A") this.row = Math.max(this.top, this.row - steps);
      else if (letter === "B") this.row = Math.min(this.top + this.rows - 1, this.screen.length - 1, this.row + steps);
      else if (letter === "C") this.column += steps;
      else if (letter === "K") this.screen[this.row].length = Math.min(this.column, this.screen[this.row].length);
      else if (letter === "J") {
        this.screen.length = this.row + 1;
        this.screen[this.row].length = Math.min(this.column, this.screen[this.row].length);
      } else this.#put(unit);
    }
  }

  get top(): number {
    return Math.max(0, this.screen.length - this.rows);
  }

  get text(): string[] {
    return this.screen.map((row) => row.join("").trimEnd()).join("\n").trimEnd().split("\n");
  }

  #down(): void {
    this.row++;
    if (this.row === this.screen.length) this.screen.push([]);
  }

  #put(character: string): void {
    assert.ok(this.column < this.columns, "the terminal would wrap");
    const row = this.screen[this.row];
    while (row.length < this.column) row.push(" ");
    row[this.column++] = character;
  }
}

test("text is wrapped, indented and scrolled, with the cursor where it belongs", () => {
  const glass = new Glass(13, 5);
  const screen = new Screen(glass, "> ", "… ");
  screen.draw("abcdefghijklm\n\nxyz", 12);
  assert.deepEqual(glass.text, ["> abcdefghij", "  klm", "…", "… xyz"]);
  assert.deepEqual([glass.row, glass.column], [1, 4]);
  const long = "1\n2\n3\n4\n5\n6\n7";
  screen.draw(long, long.length);
  assert.deepEqual(glass.text.slice(glass.top), ["↑ 4", "… 5", "… 6", "… 7"]);
  screen.draw(long, 2);
  assert.deepEqual(glass.text.slice(glass.top), ["↑ 2", "… 3", "… 4", "↓ 5"]);
});

test("only what changed is drawn, and it looks as if all of it were", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n", "é", "\t"), maxLength: 60 });
  fc.assert(fc.property(fc.array(fc.tuple(text, fc.nat(60)), { minLength: 1, maxLength: 8 }), (steps) => {
    const [many, once] = [new Glass(11, 99), new Glass(11, 99)];
    const screen = new Screen(many, "> ", "… ");
    for (const [text, cursor] of steps) screen.draw(text, Math.min(cursor, text.length));
    const [last, cursor] = steps.at(-1)!;
    new Screen(once, "> ", "… ").draw(last, Math.min(cursor, last.length));
    assert.deepEqual(many.text, once.text);
    assert.deepEqual([many.row, many.column], [once.row, once.column]);
  }));
});

test("a paste of 100 kB is drawn once, and a key after it costs no more than in a short text", () => {
  const glass = new Glass(80, 24);
  const screen = new Screen(glass, "> ", "… ");
  const editor = new Editor([], []);
  const pasted = Array.from({ length: 2000 }, (_, i) => `line ${i} of a text that somebody pasted, ä`).join("\n");
  for (const key of decode(`\x1b[200~${pasted}\x1b[201~`)) editor.press(key);
  screen.draw(editor.text, editor.cursor);
  assert.ok(glass.written < 5000, String(glass.written));
  glass.written = 0;
  editor.press(t("x"));
  screen.draw(editor.text, editor.cursor);
  assert.ok(glass.written < 100, String(glass.written));
  assert.equal(editor.text, `${pasted}x`);
});

const tmux = spawnSync("tmux", ["-V"]).status === 0;

test("at a terminal: a pasted block is one turn, Ctrl-C clears, and the conversation goes on after a restart", {
  skip: tmux ? false : because("there is no tmux to be a terminal"),
}, async () => {
  const socket = join(FOLDER, "tmux");
  const run = (...args: string[]) => spawnSync("tmux", ["-S", socket, ...args], { encoding: "utf8" }).stdout;
  const state = join(FOLDER, "state");
  mkdirSync(state);
  const command = ["chat", "--backend", "reference", "-m", chatModel(), "-n", "4", "-q"];
  const start = (...args: string[]) => {
    const line = [...COMMAND, ...command, ...args].map((word) => `'${word}'`).join(" ");
    const cache = join(FOLDER, "cache");
    run("respawn-pane", "-k", `HUNCH_CACHE='${cache}' XDG_STATE_HOME='${state}' DENO_NO_UPDATE_CHECK=1 ${line}; cat`);
  };
  /** Waits until the screen has what is looked for; however long a slow machine takes. */
  const shows = async (pattern: RegExp) => {
    let screen = "";
    for (let i = 0; i < 1200; i++) {
      screen = run("capture-pane", "-p");
      if (pattern.test(screen)) return;
      await wait(50);
    }
    assert.match(screen, pattern);
  };
  const conversation = () => JSON.parse(readFileSync(join(state, "hunch", "conversation.json"), "utf8"));
  try {
    run("new-session", "-d", "-x", "300", "-y", "40", "cat");
    start();
    await shows(/kept in .*state\/hunch, readable by you alone[^]*^>$/m);
    run("set-buffer", "first line\n/second line\nthird line");
    run("paste-buffer", "-p", "-r");
    await shows(/third line/);
    run("send-keys", "Enter");
    await shows(/third line\n[^>]+\n>/);
    run("send-keys", "half typed");
    await shows(/> half typed/);
    run("send-keys", "C-c");
    await shows(/>\s*$/);
    assert.equal(conversation()[0].content, "first line\n/second line\nthird line");
    assert.equal(conversation().length, 2);
    assert.equal(statSync(join(state, "hunch")).mode & 0o777, 0o700);
    for (const name of ["conversation.json", "history.jsonl"]) {
      assert.equal(statSync(join(state, "hunch", name)).mode & 0o777, 0o600);
    }
    start("--continue");
    await shows(/going on with 2 messages/);
    run("send-keys", "Up", "Up");
    await shows(/third line/);
    run("send-keys", "C-c");
    run("send-keys", "again", "Enter");
    await shows(/> again\n[^>]+\n>/);
    assert.equal(conversation().length, 4);
  } finally {
    run("kill-server");
  }
});
