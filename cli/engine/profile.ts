// What hunch tune found out for a model on this machine: the methods and the weight format that later runs of that model
// use where nobody names others.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { machine } from "../../kernels/calibration.ts";
import { cacheFolder } from "../../src/assets/cache-folder.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { writeOutput } from "../../src/output-file.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { VERSION } from "../version.ts";
import { stateFolder } from "../cache/state-folder.ts";

export interface Profile {
  /** Methods as the command line names them, files by their whole path. */
  readonly drafter: string;
  readonly rule: string;
  readonly controller: string;
  readonly format: WeightFormat;
  /** Files of plugins that were at hand. */
  readonly plugins: readonly string[];
  /** Over plain decoding in the fastest format, and over what runs without a profile. */
  readonly overPlain: number;
  readonly overDefault: number;
  /** The command that made it, and when (ISO 8601). */
  readonly command: string;
  readonly made: string;
}

/** Greedy decoding and sampling have profiles of their own: other rules hold, and other drafts are kept. */
export type Manner = "greedy" | "sampled";

export function mannerOf(temperature: number): Manner {
  return temperature === 0 ? "greedy" : "sampled";
}

/** Where they are: it takes minutes to make them, so they are not in the cache, where there is another place. */
function folder(): string {
  return join(stateFolder() ?? cacheFolder(), "profiles");
}

/** How the model is computed: a profile says nothing of other ways. */
export interface Way {
  readonly backend: string;
  readonly device?: string;
  readonly threads?: number;
  readonly strict: boolean;
  readonly context?: number;
}

/** Where nothing of it is named. */
export const USUAL_WAY: Way = { backend: "auto", strict: true };

async function pathOf(source: ModelSource, manner: Manner, way: Way): Promise<string> {
  const { backend, device = null, threads = null, strict, context = null } = way;
  const own = [backend, device, threads, strict, context];
  const key = JSON.stringify([VERSION, machine(), await source.hash(cacheFolder()), manner, ...own]);
  return join(folder(), createHash("sha256").update(key).digest("hex").slice(0, 24) + ".json");
}

/** Undefined where there is none for this model, machine and way, or it is not what it should be. */
export async function readProfile(source: ModelSource, manner: Manner, way: Way): Promise<Profile | undefined> {
  if (!anyProfile()) return undefined; // the model need not be read for it
  try {
    const profile = JSON.parse(readFileSync(await pathOf(source, manner, way), "utf8")) as Profile;
    const texts = [profile.drafter, profile.rule, profile.controller, profile.made, ...profile.plugins];
    return texts.every((text) => typeof text === "string") && WEIGHT_FORMATS.includes(profile.format)
      ? profile
      : undefined;
  } catch {
    return undefined;
  }
}

/** Throws WriteError where it cannot be kept. Returns where it is. */
export async function writeProfile(source: ModelSource, manner: Manner, way: Way, profile: Profile): Promise<string> {
  const path = await pathOf(source, manner, way);
  writeOutput(path, JSON.stringify(profile, null, 2) + "\n", { folders: true });
  return path;
}

/** Says whether there was one. */
export async function forgetProfile(source: ModelSource, manner: Manner, way: Way): Promise<boolean> {
  const there = await readProfile(source, manner, way) !== undefined;
  rmSync(await pathOf(source, manner, way), { force: true });
  return there;
}

function anyProfile(): boolean {
  try {
    return readdirSync(folder()).length > 0;
  } catch {
    return false;
  }
}
