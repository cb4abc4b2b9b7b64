// Numbers of documents that look measured and are not: limits, aims, sizes that follow from the code. See numbers.ts.
/** Other sources of numbers than measuring: the words of a document that have them, and where they are from. */
export interface Unmeasured {
  readonly document: string;
  readonly words: string;
  readonly source: string;
}

const from = (document: string, source: string, ...all: readonly string[]): Unmeasured[] =>
  all.map((words) => ({ document, words, source }));

export const UNMEASURED: readonly Unmeasured[] = [
  ...from("docs/output.md", "a limit of cli/input", "a line of more than 64 MiB"),
  ...from(
    "docs/cli.md",
    "a limit of cli/cache, and an example of one",
    "(10 GiB until it is set: `hunch cache limit 20GB`)",
  ),
  ...from("docs/plugins.md", "a limit of cli/check", "each case 60 seconds (`--timeout`)"),
  ...from(
    "docs/model-files.md",
    "limits of test/model/hostile-fuzz.test.ts",
    "takes 20 s, or fails when it takes 400 MB more",
  ),
  ...from(
    "docs/bench.md",
    "limits of cli/bench/warnings.ts",
    "spread over more than 15% of its median",
    "for more than 10% of the time",
  ),
  ...from("docs/bench.md", "a limit of cli/claims/list.ts", "what is less than 5% better counts as no better"),
  ...from(
    "docs/controllers.md",
    "a limit of plugins/controllers/cost.ts",
    "less than 1% of a pass always fills that row",
  ),
  ...from("docs/cli.md", "a limit of cli/input", "after two seconds of silence"),
  ...from("docs/bench.md", "what `hunch tune` takes where `--seconds` is not given", "five minutes; later runs"),
  ...from("docs/benchmarks.md", "how long that suite lets it search", "`hunch tune` in five minutes"),
  ...from("bench/README.md", "how long that suite lets it search", "`hunch tune` in five minutes"),
  ...from("docs/benchmarks.md", "an aim", "its aim of 70% of the bandwidth"),
  ...from("docs/store.md", "the argument of that command", "kills a writer 50 times"),
  ...from("docs/design.md", "a size to paste, nothing timed", "a paste of 100 kB takes minutes"),
  ...from(
    "docs/store.md",
    "limits of src/store",
    "files over 1 MiB",
    "(100 MB until then)",
    "Every block of 4 KiB",
    "at most 16 MB of blocks",
  ),
  ...from(
    "docs/drafters.md",
    "sizes of the tables that plugins/drafters make, by their options' defaults",
    "2.5 MB, and at most",
    "45 MB for 100,000 tokens of answers",
    "1.6 MB: 4·k bytes",
    "16 to 24 MiB",
    "4.8 MiB and the text",
    "5.8 MiB",
    "at most 41 MB",
    "at most 13 MB",
    "at most 10 MB, and the model",
    "at most 45 MB, and the model",
    "at most 4 MB",
    "at most 26 MB",
  ),
  ...from("bench/README.md", "what bench/suites/store.ts makes", "a store of 100 MB"),
  ...from("bench/README.md", "sizes of packages, by `du`", "85 MB, or 155 MB with its Vulkan", "(475 MB, on demand)"),
  ...from(
    "docs/rules.md",
    "`node scripts/bun.mjs scripts/train-judge.ts`, which takes hours",
    "likelier 0.57 of the time, where a coin has 0.50 and the target's own probability 0.86",
  ),
  ...from("docs/webgpu.md", "how often Deno's WebGPU polls, by its source", "every 10 ms or so"),
  ...from(
    "docs/webgpu.md",
    "`node scripts/bun.mjs bench/webgpu-leaks.ts`, which needs a GPU or SwiftShader",
    "315 MB after 200 generations, 326 MB after 1,000",
    "from 701 MB to 2573 MB",
    "more than 64 MB from the second hundred on",
    ...["218", "221", "224", "225"].map((resident) => `| ${resident} |`),
  ),
  ...from(
    "docs/webgpu.md",
    "counts, no times, of `npm run bench -- webgpu`, which needs a GPU or SwiftShader",
    "111 kB",
    "394 kB a row",
    "96.4 MB on the device",
  ),
];
