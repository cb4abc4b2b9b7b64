// Methods as people and as programs read them.
import type { Claims } from "../../src/plugins/claims.ts";
import type { OptionSpec, Plugin } from "../../src/plugins/plugin.ts";
import type { Paint } from "./colour.ts";
import { visible } from "./visible.ts";

const ORDER = ["drafter", "rule", "controller", "proposer", "shape", "backend"];

/** A method with what it claims; undefined where that cannot be told without a model. */
export interface Listed {
  readonly plugin: Plugin;
  readonly claims: Claims | undefined;
}

/** One paragraph per kind, one line per method, its options and paper below it. */
export function pluginLines(listed: readonly Listed[], paint: Paint): string[] {
  const kinds = [...new Set(listed.map(({ plugin }) => plugin.kind))];
  kinds.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  return kinds.flatMap((kind, i) => {
    const members = listed.filter(({ plugin }) => plugin.kind === kind);
    return [
      ...i > 0 ? [""] : [],
      paint.bold(`${kind}s`),
      ...members.flatMap((member) => describe(member, paint)),
    ];
  });
}

function describe({ plugin, claims }: Listed, paint: Paint): string[] {
  const { name, argument, summary, options = {}, paper } = plugin;
  const lines = [`  ${paint.bold(argument ? `${name}:${argument}` : name)}  ${summary}`];
  if (claims !== undefined && claims.laws.length > 0) lines.push(`      ${claimsLine(claims, paint)}`);
  for (const [option, spec] of Object.entries(options)) {
    lines.push(`      ?${option}=${visible(String(spec.default))}  ${paint.dim(`${spec.summary}${range(spec)}`)}`);
  }
  if (paper) {
    lines.push(`      ${paint.dim(`${paper.title} (${paper.year}${paper.arxiv ? `, arXiv ${paper.arxiv}` : ""})`)}`);
  }
  return lines;
}

function claimsLine({ laws, lossless, greedy }: Claims, paint: Paint): string {
  const names = laws.join(", ");
  if (lossless === undefined) return `law ${names}`;
  return `${lossless ? "lossless" : paint.bad("relaxed")}${greedy ? " at temperature 0" : ""} for ${names}`;
}

function range({ choices, min, max }: OptionSpec): string {
  if (choices) return `: ${choices.join(", ")}`;
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max !== undefined ? `, at most ${max}` : "";
}

export function pluginJson(listed: readonly Listed[]): unknown {
  return listed.map(({ plugin: { kind, name, argument, summary, options, paper }, claims }) => (
    { kind, name, argument, summary, options, paper, ...claims }
  ));
}
