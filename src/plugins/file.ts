// A plugin file: imported by path, and looked at closely before anything of it runs.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HunchError } from "../errors.ts";
import { Fields, type Refuse } from "../fields.ts";
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
    checkPlugin(plugin, (must, field) =>
      new HunchError("input", `this is no plugin: ${must}`, {
        file: path,
        field: Array.isArray(found) ? `default[${i}].${field}` : field,
        hint: "see definePlugin",
      }));
    return plugin;
  });
}

/** Throws what `refuse` makes of whatever keeps a value from being a plugin. */
function checkPlugin(value: unknown, refuse: Refuse): asserts value is Plugin {
  const fields = Fields.of(value, (must, field) => refuse(must, field || "default"), "it is not an object");
  const { kind, name, create } = fields.values;
  fields.need(KIND_NAMES.some((known) => known === kind), "kind", notOneOf("kind", kind, KIND_NAMES));
  const named = typeof name === "string" && /^[a-z0-9][a-z0-9+._-]*$/.test(name);
  fields.need(named, "name", `name is ${JSON.stringify(name)}; letters a to z, digits and - make a name`);
  fields.required("summary", "string", "summary is no text");
  fields.need(typeof create === "function", "create", "create is no function");
  fields.optional("argument", "string", "argument is no text");
  if (!fields.has("options")) return;
  const options = Fields.of(fields.values.options, () => fields.wrong("options", "options is no object"));
  for (const [option, spec] of Object.entries(options.values)) {
    checkOption(Fields.of(spec, (must) => fields.wrong(`options.${option}`, must), "the option is no object"));
  }
}

/** Every fault is told of the option as a whole. */
function checkOption(fields: Fields): void {
  const { type, default: standard, min = -Infinity, max = Infinity, choices } = fields.values as Partial<OptionSpec>;
  fields.need(OPTION_TYPES.some((known) => known === type), "type", notOneOf("its type", type, OPTION_TYPES));
  fields.required("summary", "string", "its summary is no text");
  const told = `its default is ${JSON.stringify(standard)}, not`;
  const given: string = typeof standard;
  fields.need(given === (type === "integer" ? "number" : type), "default", `${told} of type ${type}`);
  fields.need(type !== "integer" || Number.isInteger(standard), "default", `${told} a whole number`);
  const chosen = choices === undefined || choices.includes(String(standard));
  fields.need(chosen, "default", `${told} one of ${choices?.join(", ")}`);
  const fits = typeof standard !== "number" || standard >= min && standard <= max;
  fields.need(fits, "default", `${told} from ${min} to ${max}`);
}

function notOneOf(what: string, value: unknown, names: readonly string[]): string {
  return `${what} is ${JSON.stringify(value)}, not one of ${names.join(", ")}`;
}
