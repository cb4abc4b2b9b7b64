// hunch export: the setting that hunch tune found, or one that is named, as another engine is told it.
import { EXIT } from "../../src/errors.ts";
import type { Specs } from "../engine/session.ts";
import { openCache } from "../cache/cache.ts";
import { contextOf, DEFAULT_DRAFTER, openRegistry } from "../engine/methods.ts";
import { openNamed } from "../engine/models.ts";
import { mannerOf, readProfile, USUAL_WAY } from "../engine/profile.ts";
import { stdout } from "../output/streams.ts";
import { visible } from "../output/visible.ts";
import { TARGETS } from "./engines.ts";
import type { ExportCommand } from "./options.ts";
import { portable } from "./portable.ts";

/** Returns the exit code. */
export async function exportSetting(options: ExportCommand): Promise<number> {
  const target = TARGETS[options.engine];
  const source = await openNamed(options.model, openCache());
  try {
    const manner = mannerOf(options.temperature);
    const tuned = options.drafter === undefined ? await readProfile(source, manner, USUAL_WAY) : undefined;
    const registry = await openRegistry(tuned?.plugins ?? []);
    const drafter = options.drafter ?? tuned?.drafter ?? DEFAULT_DRAFTER;
    const setting: Specs = {
      drafter,
      rule: options.rule ?? tuned?.rule ?? (options.temperature === 0 ? "greedy" : "match"),
      controller: options.controller ?? tuned?.controller ?? registry.controllerOf(drafter) ?? "cost",
    };
    registry.check("drafter", setting.drafter);
    registry.check("controller", setting.controller);
    const { lossless } = await registry.resolve("rule", setting.rule, contextOf(registry));
    const { notes, ...own } = portable({ ...setting, lossless }, options.tokens, target);
    const fits = target.models === "folder" ? source.format === "huggingface" : source.format === "gguf";
    const model = fits ? source.path : "MODEL";
    const told = tuned ? `as tuned on ${tuned.made.slice(0, 10)}` : "not tuned";
    const said = [
      `${setting.drafter}, ${setting.rule}, ${setting.controller}, ${told}, for ${target.title}`,
      ...fits ? [] : [`MODEL: ${source.title} in the form that ${target.title} reads`],
      ...own.way === "model" && !fits ? [`the draft model, too, must have that form: ${own.draft}`] : [],
      ...notes,
      `written for ${target.version}`,
      "measured with hunch; what it brings there has to be measured there",
    ];
    // A name with a line break must not end its comment.
    for (const line of said) stdout.line(`# ${visible(line)}`);
    for (const line of target.write(model, { ...own, notes }, options.temperature)) stdout.line(visible(line));
    return EXIT.ok;
  } finally {
    source.close();
  }
}
