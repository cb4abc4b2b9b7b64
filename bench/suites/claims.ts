// `hunch claims`, all of them, as a table.
import { Terminal } from "../terminal.ts";
import { table } from "../report.ts";
import { option, type Suite } from "../suite.ts";

interface Told {
  readonly id: string;
  readonly claim: string;
  readonly paper: { readonly title: string; readonly year: number; readonly arxiv?: string };
  readonly published: string;
  readonly proven: boolean;
  readonly verdict: string;
  readonly ours: string;
}

const suite: Suite = {
  summary: "What papers say and what becomes of it on the default model: `hunch claims`",
  options: { prompts: "N" },
  async run() {
    const terminal = new Terminal();
    const { stdout } = terminal.run(`hunch claims --json --prompts ${option("prompts") ?? 1}`);
    terminal.close();
    const { claims } = JSON.parse(stdout) as { claims: Told[] };
    const count = (verdict: string) => claims.filter((claim) => claim.verdict === verdict).length;
    const rows = claims.map(({ id, claim, paper, published, proven, verdict, ours }) => [
      `\`${id}\`: ${claim}`,
      `${published} (${[paper.title, paper.year, paper.arxiv].filter(Boolean).join(", ")})`,
      verdict + (proven ? ", proven: checks hunch" : ""),
      ours,
    ]);
    return {
      report: `${claims.length} claims: ${count("holds")} hold, ${count("does not hold")} do not, ` +
        `${count("cannot be tested here")} cannot be tested here.\n\n` +
        table(
          ["claim", "published", "verdict", "here"],
          rows,
        ),
    };
  },
};

export default suite;
