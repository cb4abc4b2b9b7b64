// JSON files of a model folder, read with a limit.
import { HunchError } from "../../errors.ts";
import { BinaryFile } from "./reader.ts";

/** Longer than any configuration or index; tokenizers have a limit of their own. */
const LONGEST = 64 << 20;

/** The object that the file holds. Throws HunchError("input") where it holds none. */
export function readJson(path: string): Record<string, unknown> {
  return readJsonFile(new BinaryFile(path));
}

/**
 * JSON, and what Python writes beyond it: `Infinity` and `NaN`. A NaN becomes the text "NaN", which is refused where a
 * number is wanted.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const standard = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (part) => {
      if (part.startsWith('"')) return part;
      return part === "NaN" ? '"NaN"' : part.replace("Infinity", "1e999");
    });
    if (standard === text) throw error;
    return JSON.parse(standard);
  }
}

/** The same for an open file, which is closed afterwards. */
export function readJsonFile(file: BinaryFile): Record<string, unknown> {
  try {
    if (file.size > LONGEST) throw file.broken(`${file.size} bytes are too many for such a file`, undefined);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(file.read(0, file.size, "JSON"));
    const value = parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw file.broken("the file does not hold a JSON object", 0);
    }
    return value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof HunchError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw file.broken(`not JSON: ${reason.slice(0, 120)}`, undefined);
  } finally {
    file.close();
  }
}
