// hunch simulate: what a drafter would bring here, or on another machine, before anybody builds or trains it.
import { type CostPoint, interpolateCost } from "../../kernels/cost.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { curveOf } from "../bench/measure.ts";
import { readResults, type Results } from "../bench/results.ts";
import type { Run } from "../bench/stand.ts";
import { plainSetting } from "../bench/settings.ts";
import { Session } from "../engine/session.ts";
import { Status } from "../output/status.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { best, breakEven, chains, type Forecast, type Guesses, trees } from "./forecast.ts";
import type { SimulateCommand } from "./options.ts";
import { publishedAcceptance } from "./published.ts";

interface Given {
  readonly guesses: Guesses;
  readonly curve: readonly CostPoint[];
  /** Where both are from, for people. */
  readonly from: readonly string[];
}

/** Returns the exit code. */
export async function simulate(options: SimulateCommand): Promise<number> {
  const { guesses, curve, from } = await given(options);
  const cost = (rows: number) => interpolateCost(curve, rows);
  const ofChains = chains(guesses, cost, options.most);
  const ofTrees = guesses.others === undefined ? [] : trees(guesses, cost, options.most);
  const least = breakEven(guesses, cost, options.most);
  if (options.json) {
    stdout.line(JSON.stringify({ from, guesses, curve, chains: ofChains, trees: ofTrees, breakEven: least ?? null }));
    return EXIT.ok;
  }
  for (const line of from) stdout.line(line);
  print("chain", ofChains);
  if (ofTrees.length > 0) print("tree", ofTrees);
  stdout.line(
    least === undefined
      ? "drafting cannot pay: even if all of it were kept, the drafter takes longer than it saves"
      : least < 0.001
      ? "drafting pays however little is kept: a pass over two rows costs no more than over one"
      : `drafting pays from an acceptance of ${(100 * least).toFixed(1)}% on, if it is the same at every depth`,
  );
  return EXIT.ok;
}

async function given(options: SimulateCommand): Promise<Given> {
  const measured = options.from === undefined ? undefined : await readResults(options.from);
  if (options.acceptance !== undefined && options.published !== undefined) {
    throw new HunchError("usage", "--acceptance and --published both say how often guesses are kept", {
      hint: "leave one out",
    });
  }
  if (options.setting !== undefined && measured === undefined) {
    throw new HunchError("usage", "--setting names one of a results file, and none is given", {
      hint: "give --from results.json",
    });
  }
  const published = options.published === undefined ? undefined : publishedAcceptance(options.published);
  const isTold = options.acceptance !== undefined || published !== undefined;
  if (!isTold && measured === undefined) {
    throw new HunchError("usage", "nobody says how often guesses are kept", {
      hint: "give --acceptance 0.8,0.7, --published eagle-2 or --from results.json",
    });
  }
  const own = isTold && options.draftMs !== undefined ? undefined : measured && guessesOf(measured, options.setting);
  const from: string[] = [];
  const told = options.acceptance !== undefined
    ? numbers("--acceptance", options.acceptance, 1)
    : published && [published.acceptance];
  from.push(
    published
      ? `guesses: ${published.from}: ${(100 * published.acceptance).toFixed(1)}% are kept`
      : told
      ? `guesses: kept by depth ${told.join(" ")}`
      : `guesses: ${own!.setting} in ${options.from}`,
  );
  const guesses: Guesses = {
    ...told ? { acceptance: told } : { acceptance: own!.acceptance, offered: own!.offered, kept: own!.kept },
    others: options.others === undefined ? undefined : numbers("--others", options.others, 1),
    draftMs: options.draftMs ?? own?.draftMs ?? 0,
    roundMs: options.draftMs === undefined ? own?.roundMs ?? 0 : 0,
  };
  const rounds = guesses.roundMs === 0 ? "" : `, of a round ${guesses.roundMs!.toFixed(2)} ms`;
  const likeliest = Math.max(...guesses.acceptance) * (1 + (guesses.others ?? []).reduce((a, b) => a + b, 0));
  if (options.others !== undefined && likeliest > 1) {
    throw new HunchError("usage", `some child would be right ${likeliest.toFixed(2)} times of one`, {
      hint: "acceptance × (1 + the sum of --others) is 1 at most",
    });
  }
  from[0] += `; drafting takes ${guesses.draftMs.toFixed(2)} ms of a level${rounds}`;
  if (options.cost !== undefined) {
    return { guesses, curve: givenCurve(options.cost), from: [...from, "cost: as given"] };
  }
  if (measured) {
    return {
      guesses,
      curve: measured.curve,
      from: [...from, `cost: ${measured.engine} ${measured.format} in ${options.from}`],
    };
  }
  const { curve, engine } = await measuredHere(options);
  return { guesses, curve, from: [...from, `cost: ${engine}, measured here`] };
}

async function measuredHere(options: SimulateCommand) {
  const status = new Status();
  const { drafter, rule, controller } = plainSetting(0);
  const session = await Session.open(
    { ...options, drafter, rule, controller, plugins: [], overflow: "refuse" },
    status.progress,
  );
  try {
    const { engine } = session;
    await engine.calibrate();
    return { curve: curveOf(engine), engine: `${engine.source.title}, ${engine.name} ${engine.format}` };
  } finally {
    status.clear();
    session.close();
  }
}

/** What was measured of a setting, of all its prompts. A run tells how often depth d was kept of all that had it. */
export function guessesOf({ settings, runs }: Results, wanted?: string): Guesses & { readonly setting: string } {
  const setting = wanted ?? settings[1]?.name;
  const own = runs.filter((run) => run.setting === setting);
  if (setting === undefined || own.length === 0 || own.every(({ drafted }) => drafted === 0)) {
    throw new HunchError("usage", `nothing was drafted by ${JSON.stringify(setting ?? "plain")} in these results`, {
      hint: `name one of ${settings.slice(1).map(({ name }) => name).join(", ")} by --setting`,
    });
  }
  const sum = (of: (run: typeof own[number]) => number) => own.reduce((total, run) => total + of(run), 0);
  if (sum(({ drafted }) => drafted) > sum(({ offeredAt }) => offeredAt.reduce((a, b) => a + b, 0))) {
    throw new HunchError(
      "usage",
      `${setting} drafted trees, of which these results do not tell what a chain would bring`,
      {
        hint: "measure it with --shape chain, or give --acceptance and --others",
      },
    );
  }
  const passes = sum((run) => run.passes);
  const deepest = Math.max(...own.map(({ offeredAt }) => offeredAt.length));
  const depths = Array.from({ length: deepest }, (_, depth) => ({
    had: sum(({ offeredAt }) => offeredAt[depth] ?? 0),
    kept: sum(({ acceptedAt }) => acceptedAt[depth] ?? 0),
  }));
  // Of the guesses whose elders were kept: near enough, for not every draft goes on.
  const acceptance = depths.map(({ had, kept }, i) =>
    kept / Math.max(kept, Math.min(had, depths[i - 1]?.kept ?? had)) || 0
  );
  const perRound = (of: "had" | "kept") => depths.map((depth) => depth[of] / passes);
  // Beyond what was ever drafted nothing is known, so nothing is offered.
  return { setting, acceptance, offered: [...perRound("had"), 0], kept: perRound("kept"), ...paceOf(own) };
}

/** Least squares: what the drafter takes in every round, and what for every level that it drafts; neither below 0. */
function paceOf(runs: readonly Run[]): Pick<Guesses, "draftMs" | "roundMs"> {
  const points = runs.map(({ passes, offeredAt, draftMs }) => ({
    rounds: passes,
    levels: offeredAt.reduce((a, b) => a + b, 0),
    ms: draftMs,
  }));
  const sum = (of: (point: typeof points[number]) => number) => points.reduce((total, point) => total + of(point), 0);
  const [rr, rl, ll] = [sum((p) => p.rounds ** 2), sum((p) => p.rounds * p.levels), sum((p) => p.levels ** 2)];
  const [rm, lm] = [sum((p) => p.rounds * p.ms), sum((p) => p.levels * p.ms)];
  const divisor = rr * ll - rl * rl;
  const [roundMs, draftMs] = [(rm * ll - lm * rl) / divisor, (lm * rr - rm * rl) / divisor];
  if (roundMs >= 0 && draftMs >= 0) return { roundMs, draftMs };
  return roundMs >= 0 ? { roundMs: rm / rr, draftMs: 0 } : { roundMs: 0, draftMs: lm / ll }; // also where runs are alike
}

function print(what: string, forecasts: readonly Forecast[]): void {
  const first = best(forecasts);
  const rows = forecasts.map((forecast) => [
    String(forecast.nodes),
    what === "tree" ? forecast.widths.join(" ") : "",
    forecast.tokensPerPass.toFixed(2),
    forecast.tokensPerSecond.toFixed(1),
    `${forecast.speedup.toFixed(2)}×`,
    forecast === first ? "← best" : "",
  ]);
  stdout.line();
  const head = [`${what} of`, what === "tree" ? "by depth" : "", "tokens per pass", "tokens/s", "over plain", ""];
  for (const line of table([head, ...rows], [0, 2, 3, 4])) stdout.line(line);
  stdout.line();
}

function numbers(option: string, text: string, most: number): number[] {
  const values = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (values.every((value) => value >= 0 && value <= most)) return values;
  throw new HunchError("usage", `${option} cannot be ${JSON.stringify(text)}`, {
    hint: `give numbers from 0 to ${most} with commas between`,
  });
}

function givenCurve(text: string): CostPoint[] {
  const points = text.split(",").map((part) => {
    const [, width, ms] = part.trim().match(/^(\d+):(\d+(?:\.\d+)?)$/) ?? [];
    return { width: Number(width), ms: Number(ms) };
  });
  const grows = ({ width, ms }: CostPoint, i: number) =>
    i === 0 ? width === 1 && ms > 0 : width > points[i - 1].width && ms >= points[i - 1].ms;
  if (points.length > 1 && points.every(grows)) return points;
  throw new HunchError("usage", `--cost cannot be ${JSON.stringify(text)}`, {
    hint:
      "write two or more rows:milliseconds with commas between, from 1 row on, more rows taking no less: 1:20,8:24,32:40",
  });
}
