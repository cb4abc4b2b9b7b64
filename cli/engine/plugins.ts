// hunch plugin list: the methods at hand, or those that a filter names, with what they claim.
import { type Claims, claimsOf } from "../../src/plugins/claims.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { KINDS, type Plugin } from "../../src/plugins/plugin.ts";
import { openRegistry } from "./methods.ts";
import { paintFor } from "../output/colour.ts";
import { type Listed, pluginJson, pluginLines } from "../output/plugins.ts";
import { stdout } from "../output/streams.ts";

/** Returns the exit code. */
export async function listPlugins(
  { filters, plugins, json }: {
    readonly filters: readonly string[];
    readonly plugins: readonly string[];
    readonly json: boolean;
  },
): Promise<number> {
  const registry = await openRegistry(plugins);
  const listed: Listed[] = [];
  for (const plugin of registry.list()) {
    const method = { plugin, claims: await claimed(plugin) };
    if (filters.every((filter) => fits(method, filter.toLowerCase()))) listed.push(method);
  }
  if (listed.length === 0) {
    const kinds = Object.keys(KINDS).map((kind) => `${kind}s`).join(", ");
    throw new HunchError("usage", `no method is ${filters.join(" and ")}`, {
      hint: `name a kind (${kinds}), a law or a name`,
    });
  }
  if (json) stdout.line(JSON.stringify(pluginJson(listed)));
  else for (const line of pluginLines(listed, paintFor(stdout))) stdout.line(line);
  return EXIT.ok;
}

/** A method that cannot be made without its argument claims nothing here; what is wrong with it shows when it is used. */
async function claimed(plugin: Plugin): Promise<Claims | undefined> {
  try {
    const claims = await claimsOf(plugin);
    return Array.isArray(claims?.laws) ? claims : undefined;
  } catch {
    return undefined;
  }
}

function fits({ plugin, claims }: Listed, filter: string): boolean {
  const { kind, name } = plugin;
  if (filter === kind || filter === `${kind}s`) return true;
  if (filter === "lossless" || filter === "relaxed") return claims?.lossless === (filter === "lossless");
  return claims?.laws.some((law) => law === filter) || name.includes(filter);
}
