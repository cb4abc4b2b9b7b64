// Results as one page: a file that needs no other, no script and no network, and can be read in the dark and on paper.
import { cellsOf, factsOf, HOW, NOTHING } from "./markdown.ts";
import type { Results } from "./results.ts";
import { dots, escape, lines } from "./svg.ts";

export function html(results: Results): string {
  const { head, cells } = cellsOf(results.rows);
  const row = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escape(text)}</${tag}>`).join("")}</tr>`;
  const facts = factsOf(results).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join("");
  const warnings = results.warnings.map((warning) => `<p class="beware"><b>Beware:</b> ${escape(warning)}.</p>`).join(
    "\n",
  );
  const sections = plotsOf(results).map(([title, plot]) =>
    `<section><h2>${escape(title)}</h2>\n<div class="wide">${plot}</div></section>`
  );
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>hunch bench: ${escape(results.model.title)}</title>
<style>${STYLE}</style></head><body>
<h1>hunch bench: ${escape(results.model.title)}</h1>
${warnings}
${sections.join("\n")}
<section class="numbers"><h2>All numbers</h2><p>${escape(results.rows.length > 0 ? HOW : NOTHING)}</p>
<div class="wide"><table><thead>${row("th", head)}</thead><tbody>${
    cells.map((texts) => row("td", texts)).join("\n")
  }</tbody></table></div></section>
<section><h2>Where they are from</h2><dl>${facts}</dl></section>
</body></html>
`;
}

function plotsOf({ settings, rows, curve, facts }: Results): [title: string, plot: string][] {
  const names = settings.slice(1).map(({ name }) => name);
  const kinds = [...new Set(facts.map(({ kind }) => kind))];
  const drafted = rows.filter((row) => row.speedup !== undefined);
  const whole = drafted.filter(({ kind }) => kind === undefined);
  const groups = (kinds.length > 1 ? [undefined, ...kinds] : [undefined]).map((wanted) =>
    drafted.filter(({ kind }) => kind === wanted).map(({ setting, speedup }) => {
      const { low, median, high } = speedup!;
      return { series: names.indexOf(setting), value: median, low, high };
    })
  );
  const label = kinds.length > 1 ? ["all", ...kinds] : kinds;
  const plots: [string, string][] = [];
  if (whole.length > 0) {
    plots.push(["Speed-up over plain decoding", dots(label, groups, { label: "times plain", mark: 1, series: names })]);
  }
  const deep = whole.filter(({ byDepth }) => byDepth.length > 0);
  if (deep.length > 0) {
    const series = deep.map(({ setting, byDepth }) => ({
      name: setting,
      series: names.indexOf(setting),
      points: byDepth.slice(0, 16).map((share, depth) => [depth + 1, share] as const),
    }));
    plots.push([
      "Accepted by depth",
      lines(series, { x: "depth in the draft", y: "share of those that were drafted", most: 1 }),
    ]);
  }
  if (curve.length > 1) {
    const points = curve.map(({ width, ms }) => [width, ms] as const);
    plots.push([
      "What a pass costs",
      lines([{ name: "milliseconds", series: 0, points }], { x: "rows of the pass", y: "ms" }),
    ]);
  }
  const expected = names.map((name, series) => ({
    name,
    series,
    loose: true,
    points: drafted.filter((row) => row.setting === name && (row.kind !== undefined || kinds.length === 1))
      .map((row) => [row.expected!, row.speedup!.median] as const),
  })).filter(({ points }) => points.length > 0);
  if (expected.length > 0) {
    plots.push([
      "Expected and measured",
      lines(expected, {
        x: "speed-up by the cost curve",
        y: "speed-up measured, one point for each kind of work",
        diagonal: true,
      }),
    ]);
  }
  return plots;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d8dde3; --more: #0003; --beware: #fff4d6;
  --c0: #2f6fdb; --c1: #d1581d; --c2: #2a8a4a; --c3: #a13fa8; --c4: #8a6d00; --c5: #0f8b96; --c6: #c22f55; --c7: #5a6472; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14171a; --faint: #39404a; --more: #fff4; --beware: #4a3c12;
  --c0: #79a8ff; --c1: #ff9a63; --c2: #68cf8b; --c3: #dd8be3; --c4: #dbbd4a; --c5: #5bd0da; --c6: #ff86a5; --c7: #a9b4c2; } }
body { margin: 2rem auto; padding: 0 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
section { break-inside: avoid; }
svg { width: 100%; min-width: 32rem; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg .grid { stroke: var(--faint); } svg .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
svg g line, svg polyline { stroke: currentColor; stroke-width: 2; fill: none; } svg circle { fill: currentColor; }
${Array.from({ length: 8 }, (_, i) => `.s${i} { color: var(--c${i}); }`).join(" ")}
.legend { margin: 0 0 .3rem; font-size: .85rem; } .legend span { display: inline-block; margin-right: 1rem; overflow-wrap: anywhere; } .legend span::before { content: "● "; }
.beware { background: var(--beware); padding: .5rem .8rem; border-radius: .3rem; }
/* What is wider than its place scrolls; a shadow at an edge says that there is more behind it. */
.wide { overflow-x: auto; background: linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100%,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100%,
  linear-gradient(to right, var(--more), transparent) left / .9rem calc(100% - 1px),
  linear-gradient(to left, var(--more), transparent) right / .9rem calc(100% - 1px); background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 7rem; } thead th { white-space: normal; vertical-align: bottom; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .9rem; } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dt { font-weight: 600; } }
@page wide { size: landscape; margin: 1cm; }
@media print { svg { min-width: 0; max-height: 13cm; } body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  .numbers, .numbers + section { page: wide; } .numbers { break-inside: auto; } .wide { overflow: visible; background: none; } table { font-size: 6pt; } tr { break-inside: avoid; } th, td { padding: .05rem .3rem; } }
`;
