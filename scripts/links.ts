// Links between documents: each leads to a file, and to a heading of it where one is named.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const LINK = /\]\(([^)\s]+)\)/g;

/** What is wrong with the links of these documents, a line each. `root`: the folder that their paths start at. */
export function brokenLinks(root: string, documents: readonly string[]): string[] {
  return documents.flatMap((document) => {
    const text = withoutCode(readFileSync(join(root, document), "utf8"));
    return [...text.matchAll(LINK)].flatMap(([, target]) => {
      if (/^[a-z]+:/.test(target)) return []; // elsewhere
      const [path, heading] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(root, file))) return [`${document}: there is no ${target}`];
      if (heading === undefined || !file.endsWith(".md")) return [];
      const headings = headingsOf(readFileSync(join(root, file), "utf8"));
      return headings.has(heading) ? [] : [`${document}: ${file} has no heading #${heading}`];
    });
  });
}

/** As GitHub names them in addresses. */
function headingsOf(markdown: string): Set<string> {
  const headings = withoutCode(markdown).matchAll(/^#+ (.*)$/gm);
  return new Set(
    Array.from(
      headings,
      ([, title]) => title.toLowerCase().replaceAll(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, "").replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```/gms, "");
}
