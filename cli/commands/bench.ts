// hunch bench: measure methods on this machine, and compare what was measured.
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant } from "@optique/core/primitives";
import { merge, object } from "@optique/core/constructs";
import { compareOptions, runOptions } from "../bench/options.ts";

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
  ),
  { brief: message`What drafting brings on this machine: run, compare.` },
).map((options) => async (): Promise<number> =>
  options.action === "run"
    ? await (await import("../bench/bench.ts")).bench(options)
    : await (await import("../bench/compare.ts")).compare(options)
);
