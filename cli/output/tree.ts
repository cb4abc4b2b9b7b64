// A round's draft as a tree: what was accepted, what was refused, what nobody looked at, and how likely draft and target
// found it. For stderr, pleasant at 100 columns and readable at 40.
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import type { RoundView } from "../../src/view.ts";
import type { Paint } from "./colour.ts";
import { columnsOf } from "./columns.ts";

/** Accepted; judged and refused; below a refused one, so never judged; the target's own. */
const MARKS = { accepted: "●", refused: "○", unseen: "·", own: "→" } as const;
type Mark = keyof typeof MARKS;

/** Wider than this, eyes lose the line on the way to its numbers. */
const MOST_COLUMNS = 72;
/** ` 0.93   0.88`, and two before it. */
const NUMBERS = 15;

interface Line {
  readonly branch: string;
  readonly mark: Mark;
  readonly name: string;
  readonly draft?: number;
  readonly target?: number;
  readonly source?: string;
}

/** Lines without line ends. `round`: its number, for the heading. */
export function treeLines(
  { round, root, target }: RoundView,
  number: number,
  tokenizer: Tokenizer,
  columns: number,
  paint: Paint,
): string[] {
  const { tree, verdict } = round;
  const path = new Set(verdict.path);
  const children = new Map<number, number[]>();
  tree.parents.forEach((parent, node) => children.set(parent, [...children.get(parent) ?? [], node]));
  const end = verdict.path.length > 0 ? verdict.path[verdict.path.length - 1] : -1;
  const lines: Line[] = [];
  const draw = (node: number, indent: string) => {
    const below = children.get(node) ?? [];
    const own = node === end;
    below.forEach((child, i) => {
      const last = i === below.length - 1 && !own;
      const mark = path.has(child) ? "accepted" : node < 0 || path.has(node) ? "refused" : "unseen";
      lines.push({
        branch: indent + (last ? "└ " : "├ "),
        mark,
        name: visible(tree.tokens[child], tokenizer),
        draft: tree.confidence?.[child],
        target: target[child],
        source: tree.sources?.[child],
      });
      draw(child, indent + (last ? "  " : "│ "));
    });
    if (own) lines.push({ branch: indent + "└ ", mark: "own", name: visible(verdict.next, tokenizer) });
  };
  draw(-1, "");
  const sources = Math.max(0, ...lines.map(({ source = "" }) => source === "" ? 0 : source.length + 2));
  const width = Math.min(columns - sources, MOST_COLUMNS) - NUMBERS;
  const titles = `${"draft".padStart(7)}${"target".padStart(8)}`;
  return [
    heading(round, number, paint),
    pad(clip(visible(root, tokenizer), width), width) + paint.dim(titles),
    ...lines.map((line) => drawn(line, width, paint)),
    "",
  ];
}

function heading(
  { tree, verdict, draftMs, verifyMs }: RoundView["round"],
  number: number,
  paint: Paint,
) {
  const parts = [
    `${verdict.path.length} of ${tree.tokens.length} accepted`,
    `drafted in ${milliseconds(draftMs)}, judged in ${milliseconds(verifyMs)}`,
  ];
  return paint.bold(`round ${number}`) + paint.dim(` · ${parts.join(" · ")}`);
}

function drawn({ branch, mark, name, draft, target, source }: Line, width: number, paint: Paint): string {
  // Deep trees on narrow terminals lose their first levels' lines, never the token.
  const room = Math.max(8, width - 3);
  const stem = branch.length > room - 8 ? "…" + branch.slice(branch.length - room + 9) : branch;
  const label = clip(name, width - stem.length - 3);
  const paints = { accepted: paint.accepted, refused: paint.bad, unseen: paint.dim, own: paint.bold };
  const text = paints[mark](`${MARKS[mark]} ${label}`) + pad("", width - stem.length - 2 - columnsOf(label));
  if (mark === "own") return (paint.dim(stem) + text).trimEnd();
  return paint.dim(stem) + text +
    paint.dim(`${share(draft).padStart(7)}${share(target).padStart(8)}${source ? `  ${source}` : ""}`);
}

function share(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "–" : value < 0.005 && value > 0 ? "<0.01" : value.toFixed(2);
}

function milliseconds(ms: number): string {
  return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** Not shown as themselves: what moves the cursor, or turns or hides the text around it. */
const HIDDEN = /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A token as one word: quoted, so that spaces show; parts of characters as bytes; special tokens by name. */
function visible(token: number, tokenizer: Tokenizer): string {
  const bytes = tokenizer.bytes(token);
  const escape = (text: string) =>
    JSON.stringify(text).replaceAll(HIDDEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (bytes.length === 0) return escape(tokenizer.name(token)).slice(1, -1);
  try {
    return escape(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return Array.from(bytes, (byte) => `<${byte.toString(16).padStart(2, "0")}>`).join("");
  }
}

function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let out = "";
  for (const character of text) {
    if (columnsOf(out + character) >= columns) break;
    out += character;
  }
  return out + "…";
}

function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}
