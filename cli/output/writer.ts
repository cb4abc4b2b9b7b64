// Puts an answer on stdout as it is made: each piece at once, drafted and accepted text marked where colours are on.
import type { Piece } from "../../src/round/generate.ts";
import type { Paint } from "./colour.ts";
import type { Stream } from "./streams.ts";
import { visible } from "./visible.ts";

export class AnswerWriter {
  #last = "\n";

  /** `newline`: a text that is redirected ends with a line break, too, as text files do. */
  constructor(private readonly stream: Stream, private readonly paint: Paint, private readonly newline = true) {}

  /** Throws ClosedPipe where nobody reads any more. */
  write({ text, acceptedText }: Piece): void {
    if (text === "") return;
    this.#last = text;
    this.stream.write(
      this.paint.accepted(this.#shown(text.slice(0, acceptedText))) + this.#shown(text.slice(acceptedText)),
    );
  }

  /** A terminal's prompt stands on a line of its own again, whatever was asked for. */
  end(): void {
    if ((this.stream.terminal || this.newline) && !this.#last.endsWith("\n")) this.stream.line();
    this.#last = "\n";
  }

  /** A model may say anything: on a terminal, control characters are shown and not obeyed. */
  #shown(text: string): string {
    if (!this.stream.terminal) return text;
    return visible(text.replaceAll("\r", ""), "\n\t");
  }
}
