// Colours, where a terminal shows them and nobody asked for none (https://no-color.org).
import { styleText } from "node:util";
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
  const style = (format: "dim" | "bold" | "green" | "red") => (text: string) =>
    on && text ? styleText(format, text, { validateStream: false }) : text;
  return {
    on,
    dim: style("dim"),
    bold: style("bold"),
    accepted: style("green"),
    good: style("green"),
    bad: style("red"),
  };
}

function wanted(): boolean {
  return !process.env.NO_COLOR && process.env.TERM !== "dumb";
}
