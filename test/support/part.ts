// What cannot differ between the runtimes, because one native library computes it or the language defines every bit of
// it, is tested in full under one of them. docs: CONTRIBUTING.md.

/** True where scripts/test.ts runs all cases of this file under another runtime as well. */
export const PARTLY = process.env.HUNCH_TEST_PARTLY === "1";

/** All cases, or where they run elsewhere as well the first `few`. */
export function part<T>(cases: readonly T[], few: number): readonly T[] {
  return PARTLY ? cases.slice(0, few) : cases;
}
