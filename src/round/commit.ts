// commit: the accepted path and the next token become text, up to an end token or a stop string.
import type { Piece } from "../generation.ts";
import type { Verdict } from "../verdict.ts";
import type { TextStream } from "./text.ts";
import type { DraftTree } from "../tree.ts";

export interface Commit {
  readonly piece: Piece;
  /** Rows of the pass that belong into the cache, for `Sequence.keep`: the root and all new tokens but the last. */
  readonly rows: Int32Array;
  /** What ended the text, if anything did. */
  readonly ended?: "end" | "stop";
}

/** `ends`: end tokens. Nothing is committed after one, nor after the token that completes a stop string. */
export function commitRound(
  tree: DraftTree,
  { path, next }: Verdict,
  ends: ReadonlySet<number>,
  stream: TextStream,
): Commit {
  const said = Int32Array.of(...Array.from(path, (node) => tree.tokens[node]), next);
  let text = "";
  let acceptedText = 0;
  let ended: Commit["ended"];
  let count = 0;
  while (count < said.length && ended === undefined) {
    const token = said[count++];
    if (ends.has(token)) ended = "end";
    else {
      text += stream.push(token);
      if (stream.stopped) ended = "stop";
    }
    if (count <= path.length) acceptedText = text.length;
  }
  return {
    piece: { text, tokens: said.slice(0, count), accepted: Math.min(count, path.length), acceptedText },
    rows: Int32Array.from({ length: count }, (_, i) => i === 0 ? 0 : path[i - 1] + 1),
    ended,
  };
}
