// Plots as SVG that needs no script: dots with intervals, and lines. Colours are CSS classes of the page they stand in,
// so that they follow it into the dark and onto paper.
//
// By hand, because the libraries that draw plots (Observable Plot with a DOM: 56 packages, 16 MB; Vega) bring a hundred
// times what three plain plots need, and everybody's binary would carry it.

/** Series have colours `s0` to `s7`, then begin again. */
const COLOURS = 8;
const WIDTH = 720;
/** Characters of a name beside a plot. */
const LONGEST = 32;

export interface Dot {
  readonly series: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Groups of dots with intervals from left to right, a group for each line of `names`; `mark`: where nothing is gained. */
export function dots(
  names: readonly string[],
  groups: readonly (readonly Dot[])[],
  { label, mark, series }: { readonly label: string; readonly mark?: number; readonly series: readonly string[] },
): string {
  const left = 8 + 7 * Math.max(...names.map((name) => shortened(name).length));
  const scale = linear(
    [0, ...mark === undefined ? [] : [mark], ...groups.flat().map(({ high }) => high)],
    left,
    WIDTH - 16,
  );
  let y = 8;
  const parts: string[] = [];
  for (const [i, name] of names.entries()) {
    const height = 14 * Math.max(1, groups[i].length) + 8;
    parts.push(text(left - 8, y + height / 2 + 4, shortened(name), "end"));
    for (const [row, { series, value, low, high }] of groups[i].entries()) {
      const at = y + 11 + 14 * row;
      parts.push(
        `<g class="s${series % COLOURS}"><title>${
          escape(`${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`)
        }</title>` +
          `<line x1="${px(scale.at(low))}" x2="${px(scale.at(high))}" y1="${at}" y2="${at}"/>` +
          `<circle cx="${px(scale.at(value))}" cy="${at}" r="4"/></g>`,
      );
    }
    y += height;
  }
  const axis = scale.ticks.map((tick) =>
    `<line class="grid" x1="${px(scale.at(tick))}" x2="${px(scale.at(tick))}" y1="4" y2="${y}"/>` +
    text(scale.at(tick), y + 16, scale.name(tick), "middle")
  );
  const nothing = mark === undefined
    ? ""
    : `<line class="mark" x1="${px(scale.at(mark))}" x2="${px(scale.at(mark))}" y1="4" y2="${y}"/>`;
  return figure(
    y + 40,
    [...axis, nothing, ...parts, text(WIDTH - 16, y + 34, label, "end")],
    series.map((name, i) => ({ name, series: i })),
  );
}

export interface Line {
  readonly name: string;
  /** Which colour; the same setting has the same in every plot. */
  readonly series: number;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Points that are not joined. */
  readonly loose?: boolean;
}

/** Lines over common axes that begin at 0, or at the least x. `diagonal`: where both axes are equal. */
export function lines(
  all: readonly Line[],
  { x: xLabel, y: yLabel, diagonal = false, most }: {
    readonly x: string;
    readonly y: string;
    readonly diagonal?: boolean;
    /** Upper end of the y axis; the greatest value where absent. */
    readonly most?: number;
  },
): string {
  const [top, bottom, left, right] = [16, 260, 48, WIDTH - 16];
  const points = all.flatMap((line) => line.points);
  const both = diagonal ? points.flat() : [];
  const x = linear([...diagonal ? [0, ...both] : [], ...points.map(([x]) => x)], left, right);
  const y = linear([0, ...both, ...most === undefined ? points.map(([, y]) => y) : [most]], bottom, top);
  const parts = [
    ...y.ticks.map((tick) =>
      `<line class="grid" x1="${left}" x2="${right}" y1="${px(y.at(tick))}" y2="${px(y.at(tick))}"/>` +
      text(left - 6, y.at(tick) + 4, y.name(tick), "end")
    ),
    ...x.ticks.map((tick) => text(x.at(tick), bottom + 18, x.name(tick), "middle")),
    text(right, bottom + 36, xLabel, "end"),
    text(left, top - 4, yLabel, "start"),
  ];
  if (diagonal) {
    const end = Math.min(x.end, y.end);
    parts.push(
      `<line class="mark" x1="${px(x.at(0))}" y1="${px(y.at(0))}" x2="${px(x.at(end))}" y2="${px(y.at(end))}"/>`,
    );
  }
  for (const { name, series, points, loose } of all) {
    const places = points.map(([a, b]) => [px(x.at(a)), px(y.at(b))]);
    const path = loose ? "" : `<polyline points="${places.map((place) => place.join(",")).join(" ")}"/>`;
    const circles = places.map(([cx, cy], at) =>
      `<circle cx="${cx}" cy="${cy}" r="3"><title>${
        escape(`${name}: ${points[at].map((value) => +value.toPrecision(3)).join(", ")}`)
      }</title></circle>`
    );
    parts.push(`<g class="s${series % COLOURS}">${path}${circles.join("")}</g>`);
  }
  return figure(bottom + 44, parts, all);
}

/** A legend above, so that a plot on paper needs nothing else. */
function figure(height: number, parts: readonly string[], all: readonly Pick<Line, "name" | "series">[]): string {
  const legend = all.map(({ name, series }) => `<span class="s${series % COLOURS}">${escape(name)}</span>`).join(" ");
  return `<p class="legend">${legend}</p>\n<svg viewBox="0 0 ${WIDTH} ${Math.ceil(height)}" role="img">${
    parts.join("")
  }</svg>`;
}

interface Scale {
  readonly ticks: readonly number[];
  readonly end: number;
  at(value: number): number;
  name(tick: number): string;
}

/** Round steps between the least and the greatest value. */
function linear(values: readonly number[], from: number, to: number): Scale {
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
  const start = Math.floor(least / step) * step;
  const end = Math.ceil((least + span) / step - 1e-9) * step;
  const count = Math.round((end - start) / step);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => start + i * step),
    end,
    at: (value) => from + (to - from) * (value - start) / (end - start),
    name: (tick) => tick.toFixed(digits),
  };
}

/** Of a name so much that the plot beside it keeps its room. */
function shortened(name: string): string {
  const characters = [...name];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : name;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

const px = (value: number) => value.toFixed(1);

export function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
