// What methods say of themselves before any model is open: the laws of drafts, and of rules whether they are lossless.
import type { Plugin, PluginContext } from "./plugin.ts";
import type { DraftLaw } from "../tree.ts";

export interface Claims {
  /** Of the drafts that it draws or, a rule, judges. */
  readonly laws: readonly DraftLaw[];
  /** Only of rules. */
  readonly lossless?: boolean;
  /** Only of rules that are lossless at temperature 0 and nowhere else. */
  readonly greedy?: true;
}

/** Undefined where only the model at hand can tell, and for kinds that have no law. Throws what `create` throws. */
export async function claimsOf(plugin: Plugin): Promise<Claims | undefined> {
  if (plugin.kind === "backend") return undefined; // it is loaded only where it computes
  const defaults = Object.entries(plugin.options ?? {}).map(([name, { default: value }]) => [name, value]);
  const needsModel = new Error(`${plugin.name} looks at the model when it is made`);
  const nothing = new Proxy({}, {
    get() {
      throw needsModel;
    },
  }) as PluginContext;
  let method;
  try {
    method = await plugin.create(Object.fromEntries(defaults), "", nothing);
  } catch (error) {
    if (error === needsModel) return undefined;
    throw error;
  }
  if ("lossless" in method) {
    const { laws, lossless, greedy } = method;
    return greedy ? { laws, lossless, greedy } : { laws, lossless };
  }
  if ("laws" in method) return { laws: method.laws };
  return "law" in method ? { laws: [method.law] } : undefined;
}
