// What passes are measured on: a model, a place in a text, and how it is computed. Refuses what cannot be.
import { HunchError } from "../../../src/errors.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import type { Registry } from "../../../src/plugins/registry.ts";
import { openCache } from "../../cache/cache.ts";
import { openRegistry } from "../../engine/methods.ts";
import { openNamed } from "../../engine/models.ts";
import type { PassesCommand } from "./options.ts";
import { type Place, spreadTokens } from "./timer.ts";
import { needed } from "./turns.ts";

const WIDTHS = [1, 2, 4, 8, 16, 32];
/** Tokens in the cache where nobody says; half the context where that is less. */
const PAST = 256;
/** Tokens of a sequence, where the model's context is longer: caches of all of it would only take memory. */
const CONTEXT = 1024;

type Told = Pick<PassesCommand, "backend" | "formats" | "strict" | "threads">;

export interface Ground extends Told {
  readonly source: ModelSource;
  readonly registry: Registry;
  readonly cacheDir: string;
  readonly context: number;
  readonly place: Place;
  /** Rows of passes, ascending. */
  readonly widths: readonly number[];
  readonly progress: (step: string, fraction: number) => void;
}

/** Throws HunchError("usage") where the rows are none, or more than the context has room for. The source must be closed. */
export async function openGround(options: PassesCommand, progress: Ground["progress"]): Promise<Ground> {
  const { backend, formats, strict, threads, nodes } = options;
  const asked = options.rows === undefined ? undefined : widthsOf(options.rows);
  const registry = await openRegistry(options.plugins);
  const cacheDir = openCache();
  const source = await openNamed(options.model, cacheDir);
  try {
    const { title, spec } = source;
    const standard = nodes ? [1] : WIDTHS.filter((width) => needed([width]) <= spec.context >> 1);
    // Passes are told in proportion to one row.
    const widths = asked === undefined ? standard : nodes ? asked : [...new Set([1, ...asked])];
    const past = options.past ?? Math.min(PAST, spec.context >> 1);
    if (past + needed(widths) > spec.context) {
      throw new HunchError(
        "usage",
        `${past} tokens and ${needed(widths)} behind them do not fit ${title}'s context of ${spec.context}`,
        { hint: "give less --past or fewer --rows" },
      );
    }
    return {
      ...{ source, registry, cacheDir, backend, formats, strict, threads, widths, progress },
      context: Math.min(spec.context, Math.max(CONTEXT, past + needed(widths))),
      place: { past, token: spreadTokens(spec.vocab) },
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** `1,8,32`, ascending and each once. */
function widthsOf(text: string): number[] {
  const widths = text.split(",").map((part) => /^\d{1,6}$/.test(part.trim()) ? Number(part) : 0);
  if (!widths.includes(0)) return [...new Set(widths)].sort((a, b) => a - b);
  throw new HunchError("usage", `--rows cannot be ${JSON.stringify(text)}`, {
    hint: "give whole numbers from 1 on with commas between, such as 1,8,32",
  });
}

/** Throws HunchError("usage") where a pass has more rows than the engine takes. */
export function refuseWide(widths: readonly number[], { name, maxRows }: { name: string; maxRows: number }): void {
  const widest = Math.max(...widths);
  if (widest <= maxRows) return;
  throw new HunchError("usage", `${name} has at most ${maxRows} rows in a pass, not ${widest}`, {
    hint: `give --rows up to ${maxRows}`,
  });
}
