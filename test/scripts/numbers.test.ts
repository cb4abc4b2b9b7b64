// Numbers in documents: what a block says is in its page, and what looks measured stands in a block or has a source.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wrongNumbers, wrongQuotes } from "../../scripts/numbers.ts";
import { quoted } from "../../scripts/quote.ts";

const PAGES = new Map([[
  "passes",
  [
    "- cores: 2",
    "| rows | hunch | peer |",
    "| --- | ---: | ---: |",
    "| 1 | 6.58 (6.54–7.43) · 0.84× | 7.95 |",
    "| 16 | 20.19 | 57.22 |",
    "",
    "| rows | hunch |",
    "| --- | ---: |",
    "| 32 | 33.1 |",
    "",
    "```",
    "$ hunch one",
    "a",
    "b",
    "c 12 tokens/s",
    "d",
    "```",
    "",
  ].join("\n"),
]]);

const block = (body: string) => `# Page\n\n<!-- numbers: passes -->\n${body}\n<!-- end -->\n`;
const wrong = (text: string, listed = []) => wrongNumbers("page.md", text, PAGES, listed);

test("a number of a block is in its page, as it is or rounded", () => {
  assert.deepEqual(
    wrong(block("A token takes 6.58 ms, 0.84×; 16 rows 20.2 ms, the peer 57.\n\n`Q4_1?n=99`, 135M")),
    [],
  );
  assert.deepEqual(wrong(block("A token takes 6.6 ms,\n16 rows 20.1 ms.")), [
    "page.md:5: 20.1 is not in docs/measured/passes.md",
  ]);
  assert.equal(wrong(block("33.10 ms")).length, 0);
  assert.equal(wrong(block("57.2 and 57.219")).length, 1, "more digits than were measured");
});

test("no number slips into a block close to its unit, in code or by the day on which its page was made", () => {
  for (const words of ["9.99ms", "`9.99 ms`", "9.99x", "[9.99 ms](9.99)", "6.58–9.99 ms"]) {
    assert.deepEqual(wrong(block(words)), ["page.md:4: 9.99 is not in docs/measured/passes.md"], words);
  }
  const dated = new Map([[
    "passes",
    `- cores: 2\n- measured: 2026-11-28 02:40, load before 13.7\n- hunch: 0.1.0 (21bcab6)\n`,
  ]]);
  for (const words of ["28 ms", "13.7 ms", "21 ms"]) {
    assert.equal(wrongNumbers("page.md", block(words), dated, []).length, 1, words);
  }
  assert.deepEqual(wrongNumbers("page.md", block("2 cores"), dated, []), []);
});

test("tables and transcripts are the page's, not only their numbers", () => {
  const table = "| rows | peer |\n| --- | ---: |\n| 1 | 7.95 |\n| 16 | 57.22 |\n";
  assert.deepEqual(wrongQuotes("page.md", block(table), PAGES), []);
  const changed = table.replace("7.95", "6.58");
  assert.deepEqual(wrong(block(changed)), [], "another number of that page");
  assert.match(wrongQuotes("page.md", block(changed), PAGES).join(), /^page\.md:6: the table or transcript is not/);
  assert.equal(wrongQuotes("page.md", block(table.replace("| 1 | 7.95 |\n", "")), PAGES).length, 1);
  assert.match(wrongQuotes("page.md", block("```\n$ hunch one\n…\nfaster\n```\n"), PAGES).join(), /^page\.md:7: /);
});

test("what looks measured is in a block, or listed with its source", () => {
  const looks = ["12 ms", "1.32×", "4 MB", "30 tokens/s", "12%", "2.1 tokens per pass", "3.6 times as fast"]
    .concat(["1.5x faster", "40 percent", "**5** ms", "5&nbsp;ms", "5 milliseconds", "3 minutes", "12 μs", "500 ns"])
    .concat(["9.9 tokens a second", "5-fold", "0.57 of the time", "3 times the speed"]);
  looks.push(
    "83.7 tok/s",
    "83 t/s",
    "83 tps",
    "2 tokens/pass",
    "83 tokens per step",
    "12 msec",
    "2 min",
    "700 KB",
    "21 GB/s",
  );
  looks.push("five milliseconds", "three times as fast", "twice as fast", "half the time", "×5", "~5 times quicker");
  looks.push("a speed-up of 2.4", "speedup: 2.4", "a factor of 3", "acceptance of 0.83", "tokens/s: 83");
  looks.push("83.7 `tokens/s`", "83.7 <b>tokens/s</b>", "83.7 [ms](x)", "83.7 (ms)");
  looks.push("1.4 times", "5 to 7 times", "1.5 as much", "one third of the time", "a quarter of the speed");
  for (const words of looks) assert.equal(wrong(`It is ${words}.`).length, 1, words);
  for (
    const words of [
      "Bun 1.4.5",
      "2 cores",
      "arXiv 2403.10444",
      "128 tokens",
      "the 3 MBs",
      "1, 2, 3 or 4, min",
      "two tokens",
    ]
  ) {
    assert.deepEqual(wrong(`It is ${words}.`), [], words);
  }
  assert.equal(wrong("| a | b |\n| --- | --- |\n| chain | 2.596 |\n").length, 1);
  assert.deepEqual(wrong("| a | b |\n| --- | --- |\n| Phi 3.5 | temperature 0.6 |\n"), []);
  const whole = "| rows | tokens/s | nodes |\n| --- | --- | --- |\n| 1 | 84 | 3 |\n";
  assert.deepEqual(wrong(whole), ['page.md:3: nobody says where "84" is from (scripts/numbers.ts)']);
  assert.equal(wrong("<table><tr><td>fast</td><td>84</td></tr></table>\n").length, 1);
  const listed = { document: "page.md", words: "files over 1 MiB", source: "a limit" };
  assert.deepEqual(wrongNumbers("page.md", "No files over\n1 MiB.", PAGES, [listed]), []);
  assert.deepEqual(wrongNumbers("page.md", "No files.", PAGES, [listed]), [
    'page.md does not say "files over 1 MiB" (scripts/unmeasured.ts)',
  ]);
});

test("a block says in digits what can be looked up, and has an end", () => {
  assert.deepEqual(wrong(block("twice as fast")), [
    'page.md:4: "twice as fast" cannot be looked up; say it in digits',
  ]);
  assert.deepEqual(wrong("<!-- numbers: passes -->\n9.99\n"), ["page.md:1: this block has no end"]);
});

test("a page that nobody has made is missed where a block has numbers", () => {
  const of = (body: string) => wrong(`<!-- numbers: start -->\n${body}\n<!-- end -->\n`);
  assert.deepEqual(of("To be measured."), []);
  assert.deepEqual(of("It takes 5 ms."), ["page.md:1: there is no docs/measured/start.md"]);
});

test("tables and transcripts are quoted from the page, in its order", () => {
  const old = "| rows | peer |\n| --- | ---: |\n| 1 | 9 |\n\nThen:\n\n| rows | hunch |\n| --- | ---: |\n";
  const fresh = quoted(block(old), PAGES);
  assert.match(fresh, /\| rows \| peer \|\n\| --- \| ---: \|\n\| 1 \| 7\.95 \|\n\| 16 \| 57\.22 \|\n\nThen:/);
  assert.match(fresh, /\| rows \| hunch \|\n\| --- \| ---: \|\n\| 32 \| 33\.1 \|\n/);
  assert.equal(quoted(fresh, PAGES), fresh);
  const shown = (lines: string) => quoted(block(`\`\`\`\n$ hunch one\n${lines}\`\`\`\n`), PAGES);
  assert.match(shown("old\n"), /\$ hunch one\na\nb\nc 12 tokens\/s\nd\n```/);
  assert.match(shown("old\n…\nx\ny\n"), /\$ hunch one\na\n…\nc 12 tokens\/s\nd\n```/);
  const twice = new Map([["passes", "```\n$ hunch one\n1\n```\n\n```\n$ hunch one\n2\n```\n"]]);
  assert.match(quoted(block("```\n$ hunch one\n$ hunch one\n```\n"), twice), /one\n1\n\$ hunch one\n2\n/);
  assert.match(shown("…\n"), /\$ hunch one\n…\n```/);
});
