// What a published claim is here: its words, where it stands, and a small experiment that puts it to the test, or the
// reason why none can be made.
import type { Paper } from "../../src/plugins/plugin.ts";
import type { Ground } from "./ground.ts";

/** What an experiment has found. */
export interface Finding {
  /** Our figure, in a few words, with what it was taken from. */
  readonly ours: string;
  readonly holds: boolean;
}

interface Stated {
  /** To name it on the command line. */
  readonly id: string;
  /** The claim in one sentence. */
  readonly claim: string;
  readonly paper: Paper;
  /** The figure that the paper's abstract gives. */
  readonly published: string;
}

export interface Testable extends Stated {
  /** A theorem, or what hunch itself promises: the experiment tests hunch, not the paper. */
  readonly proven?: true;
  /** Throws HunchError where this model or machine cannot do what it takes. */
  test(ground: Ground): Finding | Promise<Finding>;
}

export interface Untestable extends Stated {
  /** Why it cannot be tested here, to be read after "because". */
  readonly because: string;
}

export type Claim = Testable | Untestable;

export type Verdict = "holds" | "does not hold" | "cannot be tested here";
