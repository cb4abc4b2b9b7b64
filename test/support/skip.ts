// Why tests are skipped, where people see it: the reports of neither runtime have a place for the reason.
import type { TestContext } from "node:test";

/** Prints the reason of all tests of a file that are skipped, for scripts/test.ts to collect, and returns it. */
export function because(reason: string): string {
  console.log(`skipping: ${reason}`);
  return reason;
}

/**
 * A test of a case that may find out only when it runs that it says nothing here, and then returns the reason. Deno takes
 * no notice of its `skip`; scripts/test.ts counts what is printed.
 */
export function skippable(run: () => Promise<string | void>): (context: TestContext) => Promise<void> {
  return async (running) => {
    const reason = await run();
    if (reason === undefined) return;
    console.log(`skipping one: ${reason}`);
    running.skip(reason);
  };
}
