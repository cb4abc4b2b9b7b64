// The one error that people see: what is wrong, where, and what to do, in one line. Everything else is a bug of ours.

/** Process exit codes, as `hunch --help` lists them. */
export const EXIT = {
  ok: 0,
  /** A bug, or something nobody foresaw. */
  failure: 1,
  /** Wrong flags, arguments or combinations of methods. */
  usage: 2,
  /** A model, tokenizer, request or plugin file that is broken, hostile or of an unknown kind. */
  input: 3,
  /** The machine lacks something: memory, a library, an execution provider, a device. */
  unavailable: 4,
  /** Some of the requests of `--jsonl` failed; the others are answered. */
  partial: 5,
  /** A check ran and its answer is no: a rule that claims to be lossless is not. */
  refuted: 6,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type FailureKind = "usage" | "input" | "unavailable" | "refuted";

/** Where in a file something is wrong: `offset` in bytes, `field` as the format names it. */
export interface Place {
  readonly file?: string;
  readonly offset?: number;
  readonly field?: string;
}

/** Where it is wrong, and what to do about it, in a few words. */
export interface Advice extends Place {
  readonly hint?: string;
}

/**
 * A failure that the person at the terminal can act on. `message` is one sentence without a full stop; `hint` says
 * what to do. Printed as `hunch: message (file, at byte n, field f); hint`.
 */
export class HunchError extends Error {
  override readonly name: string = "HunchError";
  /** The whole complaint on one line. A field, not a getter: Bun gives every error an own `line`, a number. */
  readonly line: string;

  readonly place: Place;
  readonly hint: string;

  constructor(readonly kind: FailureKind, message: string, { hint = "", ...place }: Advice = {}) {
    super(message);
    this.place = place;
    this.hint = hint;
    const { file, offset, field } = place;
    const where = [
      file,
      offset === undefined ? undefined : `at byte ${offset}`,
      field === undefined ? undefined : `field ${field}`,
    ].filter((part) => part !== undefined).join(", ");
    const text = message + (where ? ` (${where})` : "") + (hint ? `; ${hint}` : "");
    this.line = text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ");
  }

  get exitCode(): number {
    return EXIT[this.kind];
  }
}

/** A backend that cannot run this model or option. The next backend is tried; anything else is not caught. */
export class UnsupportedError extends HunchError {
  override readonly name = "UnsupportedError";
  constructor(message: string, advice: Advice = {}) {
    super("unavailable", message, advice);
  }
}
