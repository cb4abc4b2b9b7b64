// What every benchmark prints: where it ran, and each measurement as a median with its spread.
import { loadavg } from "node:os";
import process from "node:process";
import { machine, machineFacts } from "../cli/bench/machine.ts";

export { markdownTable as table } from "../cli/output/table.ts";
export { type Quartiles as Spread, quartiles as spread, ratios } from "../cli/bench/statistics.ts";
export { quartilesText as show } from "../cli/bench/words.ts";

/** As the benchmark begins: the commit may change while it runs. */
const WHERE = machineFacts(machine());
/** Processes that wanted a processor in the minute before. */
const COMPANY = loadavg()[0].toFixed(1);

/** Processor, cores, memory, versions, the day and the command, as Markdown; the head of every report. */
export function host(versions: Record<string, string> = {}): string {
  const lines = [
    ...WHERE,
    ...Object.entries(versions),
    ["measured", `${new Date().toISOString().slice(0, 16).replace("T", " ")}, load before ${COMPANY}`],
    ["command", `npm run bench -- ${process.argv.slice(2).filter((word) => word !== "--docs").join(" ")}`],
  ];
  return lines.map(([name, value]) => `- ${name}: ${value}`).join("\n");
}
