// Why tests are skipped, where people see it: the reports of neither runtime have a place for the reason.

/** Prints the reason of all tests of a file that are skipped, for scripts/test.ts to collect, and returns it. */
export function because(reason: string): string {
  console.log(`skipping: ${reason}`);
  return reason;
}
