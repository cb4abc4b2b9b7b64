// Every run as a line of comma-separated values (RFC 4180), for spreadsheets and data frames.
import { key, rate, type Results } from "./results.ts";

export function csv({ runs, facts }: Results): string {
  const prompts = new Map(facts.map((fact) => [key(fact), fact]));
  const head = [
    "setting",
    "kind",
    "prompt",
    "turn",
    "prompt_tokens",
    "prompt_ms",
    "tokens",
    "passes",
    "rows",
    "drafted",
  ]
    .concat([
      "accepted",
      "first_ms",
      "decode_ms",
      "draft_ms",
      "verify_ms",
      "tokens_per_second",
      "lossless",
      "same_text",
    ])
    .concat(["foreign", "log_probability"]);
  const lines = runs.map((run) => {
    const fact = prompts.get(run.prompt);
    return [
      ...[run.setting, fact?.kind, fact?.id, run.turn, fact?.tokens, fact?.ms],
      ...[run.tokens, run.passes, run.rows, run.drafted, run.accepted],
      ...[run.firstMs, run.decodeMs, run.draftMs, run.verifyMs, run.tokens > 0 ? rate(run) : undefined],
      ...[run.lossless, run.same, run.foreign, run.logProbability],
    ].map(cell).join(",");
  });
  return [head.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function cell(value: string | number | boolean | undefined): string {
  const text = value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
