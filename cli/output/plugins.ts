// Methods as people and as programs read them.
import type { OptionSpec, Plugin } from "../../src/registry.ts";
import type { Paint } from "./colour.ts";

const ORDER = ["drafter", "rule", "controller", "proposer", "shape", "backend"];

/** One paragraph per kind, one line per method, its options and paper below it. */
export function pluginLines(plugins: readonly Plugin[], paint: Paint): string[] {
  const kinds = [...new Set(plugins.map((plugin) => plugin.kind))].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return kinds.flatMap((kind, i) => {
    const members = plugins.filter((plugin) => plugin.kind === kind);
    return [
      ...i > 0 ? [""] : [],
      paint.bold(`${kind}s`),
      ...members.flatMap((plugin) => describePlugin(plugin, paint)),
    ];
  });
}

function describePlugin({ name, argument, summary, options = {}, paper }: Plugin, paint: Paint): string[] {
  const lines = [`  ${paint.bold(argument ? `${name}:${argument}` : name)}  ${summary}`];
  for (const [option, spec] of Object.entries(options)) {
    lines.push(`      ?${option}=${spec.default}  ${paint.dim(`${spec.summary}${range(spec)}`)}`);
  }
  if (paper) {
    lines.push(`      ${paint.dim(`${paper.title} (${paper.year}${paper.arxiv ? `, arXiv ${paper.arxiv}` : ""})`)}`);
  }
  return lines;
}

function range({ choices, min, max }: OptionSpec): string {
  if (choices) return `: ${choices.join(", ")}`;
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max !== undefined ? `, at most ${max}` : "";
}

export function pluginJson(plugins: readonly Plugin[]): unknown {
  return plugins.map(({ kind, name, argument, summary, options, paper }) => (
    { kind, name, argument, summary, options, paper }
  ));
}
