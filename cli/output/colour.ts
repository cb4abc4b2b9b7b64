// Colours, where a terminal shows them and nobody asked for none (https://no-color.org).
import type { Stream } from "./streams.ts";

export type ColourChoice = "auto" | "always" | "never";

export interface Paint {
  readonly on: boolean;
  dim(text: string): string;
  bold(text: string): string;
  /** For drafted and accepted tokens. */
  accepted(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function paintFor(stream: Stream, choice: ColourChoice = "auto"): Paint {
  const on = choice === "always" || (choice === "auto" && stream.terminal && wanted());
  const style = (from: number, to: number) => (text: string) => on && text ? `\x1b[${from}m${text}\x1b[${to}m` : text;
  return {
    on,
    dim: style(2, 22),
    bold: style(1, 22),
    accepted: style(32, 39),
    good: style(32, 39),
    bad: style(31, 39),
  };
}

function wanted(): boolean {
  return !process.env.NO_COLOR && process.env.TERM !== "dumb";
}
