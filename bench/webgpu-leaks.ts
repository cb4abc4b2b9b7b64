// Whether the WebGPU engine leaks: many short generations on a tiny model, with chains and trees, rewound and forked,
// cancelled and abandoned, engines opened and closed beside them. What is held is printed after each tenth; exit code 1
// where buffers, bytes or pipelines are not the same from the first tenth on, anything is left when all is closed, or the
// process has grown by more than --growth megabytes since the second.
//
//   node scripts/bun.mjs bench/webgpu-leaks.ts [--generations 1000] [--growth 64]
//   npx deno run -A --v8-flags=--expose-gc bench/webgpu-leaks.ts
import { parseArgs } from "node:util";
import { type Held, manyGenerations } from "../test/kernels/support/generations.ts";

const { values } = parseArgs({
  options: {
    generations: { type: "string", default: "1000" },
    growth: { type: "string", default: "64" },
  },
});
const count = Number(values.generations);
const held: Held[] = [];
const started = performance.now();
console.log("| generations | buffers | bytes | pipelines made | bind groups made | resident MB |");
console.log("|---|---|---|---|---|---|");
const left = await manyGenerations(count, Math.ceil(count / 10), (now) => {
  held.push(now);
  const { generations, buffers, bytes, pipelines, bindGroups, rss } = now;
  console.log(`| ${[generations, buffers, bytes, pipelines, bindGroups, (rss / 1e6).toFixed(0)].join(" | ")} |`);
});
const growth = (held[held.length - 1].rss - held[Math.min(1, held.length - 1)].rss) / 1e6;
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${left} buffers left after closing; ${growth.toFixed(1)} MB more since the second line; ${seconds} s`);
const flat = (["buffers", "bytes", "pipelines"] as const).filter((name) =>
  held.some((now) => now[name] !== held[0][name])
);
if (flat.length > 0) console.log(`not the same all the time: ${flat.join(", ")}`);
process.exit(flat.length === 0 && left === 0 && growth <= Number(values.growth) ? 0 : 1);
