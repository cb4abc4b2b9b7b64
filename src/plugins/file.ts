// A plugin file: imported by path, and looked at closely before anything of it runs.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HunchError } from "../errors.ts";
import { errorPlace } from "./place.ts";
import { KINDS, type OptionSpec, type Plugin } from "./plugin.ts";

const KIND_NAMES = Object.keys(KINDS);
const OPTION_TYPES = ["integer", "number", "boolean", "string"];

/** The file's default export: a plugin or a list of them. Throws HunchError("input") that names the file and the fault. */
export async function importPlugins(path: string): Promise<readonly Plugin[]> {
  const full = resolve(path);
  if (!statSync(full, { throwIfNoEntry: false })?.isFile()) {
    throw new HunchError("input", "there is no such plugin file", {
      file: path,
      hint: "give the path of a .ts or .js file",
    });
  }
  let found: unknown;
  try {
    found = (await import(pathToFileURL(full).href) as { default?: unknown }).default;
  } catch (error) {
    if (error instanceof HunchError) throw error;
    const { message, file, text } = errorPlace(error, path);
    const where = text === undefined ? "" : ` in \`${text}\``;
    throw new HunchError("input", `the plugin does not load: ${message}${where}`, { file, hint: "correct the file" });
  }
  const list: readonly unknown[] = Array.isArray(found) ? found : [found];
  if (found === undefined || list.length === 0) {
    throw new HunchError("input", "the plugin file has no default export", {
      file: path,
      hint: "export default definePlugin({…})",
    });
  }
  return list.map((plugin, i) => {
    const fault = pluginFault(plugin);
    if (fault === undefined) return plugin as Plugin;
    const place = { file: path, field: Array.isArray(found) ? `default[${i}].${fault.field}` : fault.field };
    throw new HunchError("input", `this is no plugin: ${fault.message}`, { ...place, hint: "see definePlugin" });
  });
}

interface Fault {
  readonly field: string;
  readonly message: string;
}

/** What keeps a value from being a plugin. */
function pluginFault(value: unknown): Fault | undefined {
  if (typeof value !== "object" || value === null) return { field: "default", message: "it is not an object" };
  const { kind, name, summary, create, argument, options } = value as Record<string, unknown>;
  if (!KIND_NAMES.includes(kind as string)) {
    return { field: "kind", message: `kind is ${JSON.stringify(kind)}, not one of ${KIND_NAMES.join(", ")}` };
  }
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9+._-]*$/.test(name)) {
    return { field: "name", message: `name is ${JSON.stringify(name)}; letters a to z, digits and - make a name` };
  }
  if (typeof summary !== "string") return { field: "summary", message: "summary is no text" };
  if (typeof create !== "function") return { field: "create", message: "create is no function" };
  if (argument !== undefined && typeof argument !== "string") {
    return { field: "argument", message: "argument is no text" };
  }
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) return { field: "options", message: "options is no object" };
  for (const [option, spec] of Object.entries(options as Record<string, unknown>)) {
    const fault = optionFault(spec);
    if (fault !== undefined) return { field: `options.${option}`, message: fault };
  }
  return undefined;
}

function optionFault(spec: unknown): string | undefined {
  if (typeof spec !== "object" || spec === null) return "the option is no object";
  const { type, summary, default: standard, min = -Infinity, max = Infinity, choices } = spec as Partial<OptionSpec>;
  if (!OPTION_TYPES.includes(type as string)) {
    return `its type is ${JSON.stringify(type)}, not one of ${OPTION_TYPES.join(", ")}`;
  }
  if (typeof summary !== "string") return "its summary is no text";
  const told = `its default is ${JSON.stringify(standard)}, not`;
  const given: string = typeof standard;
  if (given !== (type === "integer" ? "number" : type)) return `${told} of type ${type}`;
  if (type === "integer" && !Number.isInteger(standard)) return `${told} a whole number`;
  if (choices !== undefined && !choices.includes(String(standard))) return `${told} one of ${choices.join(", ")}`;
  const fits = typeof standard !== "number" || standard >= min && standard <= max;
  return fits ? undefined : `${told} from ${min} to ${max}`;
}
