// What a conformance suite is made of. Nothing here knows a test runner: give each case to the one you have, as in
// `for (const { name, run } of engineSuite("mine", load)) test(name, run)`.

export interface Case {
  /** A sentence about what must hold. */
  readonly name: string;
  /**
   * Throws where it does not hold, and returns why where it says nothing about this engine: a test to be skipped. Cases
   * of one suite share what they load: run them one after the other.
   */
  run(): Promise<string | void>;
}

/** Why a case about trees says nothing about an engine. */
export const NO_TREES = "the engine takes no trees";

/** A broken promise, told in one sentence. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

export function expectThat(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new ConformanceError(typeof message === "string" ? message : message());
}

/** Expects `action` to throw or reject, and returns what it threw. */
export async function expectRefusal(action: () => unknown, what: string): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`${what} was accepted; it must be refused`);
}
