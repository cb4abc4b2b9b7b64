// Scores of a text, for people and for programs. docs/score.md describes both.
import type { Engine } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { TextScore, TokenScore } from "../../src/round/perplexity.ts";
import { table } from "./table.ts";

/** What --json prints, and --jsonl on every line. */
export function scoreJson({ source, name, format }: Engine, { tokens, scored, total, perplexity }: TextScore) {
  const piece = pieces(source);
  const top = tokens.some((score) => score.top !== undefined);
  return {
    tokens: tokens.map(({ token }) => token),
    ...piece ? { pieces: tokens.map(({ token }) => piece(token)) } : {},
    logProbabilities: tokens.map(({ logProbability }) => logProbability ?? null),
    ranks: tokens.map(({ rank }) => rank ?? null),
    ...top
      ? {
        top: tokens.map((score) =>
          score.top?.map((best) => ({ ...best, ...piece ? { piece: piece(best.token) } : {} })) ?? null
        ),
      }
      : {},
    scored,
    total,
    perplexity: scored > 0 ? perplexity : null,
    model: { title: source.title, path: source.path },
    method: { engine: name, format },
  };
}

export function scoreLines(source: ModelSource, { tokens, scored, total, perplexity }: TextScore): string[] {
  const piece = pieces(source);
  const shown = (token: number) => piece ? JSON.stringify(piece(token)) : "";
  const number = (value: number | undefined) => value === undefined ? "" : value.toFixed(4);
  const header = ["token", "", "ln p", "rank"];
  const rows = tokens.map(({ token, logProbability, rank, top }) => [
    String(token),
    shown(token),
    number(logProbability),
    String(rank ?? ""),
    ...top ? [top.map((best) => `${shown(best.token) || best.token} ${number(best.logProbability)}`).join("  ")] : [],
  ]);
  const mean = scored > 0
    ? `, ${(-total / scored).toFixed(4)} nats per token, perplexity ${perplexity.toFixed(4)}`
    : "";
  return [
    ...table([header, ...rows], [0, 2, 3]),
    `total ${total.toFixed(4)} over ${scored} of ${tokens.length} tokens${mean}`,
  ];
}

/** A token in its place: what it stands for, ln p, and the likeliest ones. */
export interface Logprob {
  readonly token: number;
  readonly piece: string;
  readonly logProbability: number;
  readonly top?: readonly Logprob[];
}

export function logprobJson(source: ModelSource, { token, logProbability, top }: TokenScore): Logprob {
  const piece = pieces(source) ?? (() => "");
  const told = (token: number, logProbability: number) => ({ token, piece: piece(token), logProbability });
  return {
    ...told(token, logProbability!),
    ...top ? { top: top.map((best) => told(best.token, best.logProbability)) } : {},
  };
}

/** What a token stands for; the name of one that stands for nothing. Undefined where the model has no tokenizer. */
function pieces(source: ModelSource): ((token: number) => string) | undefined {
  try {
    const { tokenizer } = source;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return (token) => token < tokenizer.vocab ? decoder.decode(tokenizer.bytes(token)) || tokenizer.name(token) : "";
  } catch (error) {
    if (error instanceof HunchError) return undefined;
    throw error;
  }
}
