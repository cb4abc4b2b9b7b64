// hunch bench: measure methods on this machine, and compare what was measured.
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant } from "@optique/core/primitives";
import { merge, object } from "@optique/core/constructs";
import { match } from "ts-pattern";
import { compareOptions, runOptions } from "../bench/options.ts";
import { passesOptions } from "../bench/passes/options.ts";

export const benchCommand = command(
  "bench",
  or(
    command("run", merge(object({ action: constant("run") }), runOptions), {
      brief: message`Measure methods beside plain decoding. Also what a bare ${"hunch bench"} does.`,
      description:
        message`Every drafter with every shape, rule and controller answers the same prompts in turns with plain decoding, in one process. Results go to a folder as JSON, Markdown, CSV and one HTML page.`,
    }),
    command("compare", merge(object({ action: constant("compare") }), compareOptions), {
      brief: message`Two benchmarks, prompt by prompt; exit code 6 where something became slower.`,
    }),
    command("passes", merge(object({ action: constant("passes") }), passesOptions), {
      brief: message`What a plain token and passes of each width take, and where that time goes.`,
      description:
        message`Milliseconds in every weight format, in turns, and the share of what the machine reads from memory that plain decoding gets. Needs no prompts and no drafter.`,
    }),
  ),
  { brief: message`What drafting brings on this machine: run, compare, passes.` },
).map((options) => async (): Promise<number> =>
  await match(options)
    .with({ action: "run" }, async (asked) => (await import("../bench/bench.ts")).bench(asked))
    .with({ action: "compare" }, async (asked) => (await import("../bench/compare.ts")).compare(asked))
    .with({ action: "passes" }, async (asked) => (await import("../bench/passes/passes.ts")).passes(asked))
    .exhaustive()
);
