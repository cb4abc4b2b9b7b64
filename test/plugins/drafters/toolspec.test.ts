// toolspec: what a schema fixes is drafted, character by character, and values of earlier calls are drafted again.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { none } from "../../../plugins/drafters/none.ts";
import { ToolSpecDrafter } from "../../../plugins/drafters/toolspec.ts";
import { SeededChance } from "../../../src/chance.ts";
import { jsonPrefix } from "../../../src/draft/json-prefix.ts";
import { spaced, toolsIn } from "../../../src/draft/tools.ts";
import type { Drafter } from "../../../src/drafter.ts";
import type { Tokenizer } from "../../../src/model/tokenizer.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { chainTree } from "../../../src/tree.ts";

const codes = (text: string) => Int32Array.from(text, (letter) => letter.charCodeAt(0));
/** A token is a character. */
const tokenizer = {
  vocab: 128,
  encode: codes,
  bytes: (token: number) => Uint8Array.of(token),
  decode: (tokens: ArrayLike<number>) => String.fromCharCode(...Array.from(tokens)),
} as unknown as Tokenizer;

interface Tool {
  readonly name: string;
  readonly parameters: object;
}

const string = { type: "string" };
const weather: Tool = {
  name: "get_weather",
  parameters: {
    type: "object",
    properties: { city: string, unit: { type: "string", enum: ["celsius", "fahrenheit"] }, days: { type: "integer" } },
    required: ["city", "unit"],
  },
};
const news: Tool = {
  name: "get_news",
  parameters: { type: "dict", properties: { topic: string }, required: ["topic"] },
};

const promptOf = (tools: readonly Tool[], rest = "") =>
  `You may call:\n${JSON.stringify(tools.map((tool) => ({ type: "function", function: tool })), null, 2)}\n${rest}`;

/** A drafter that has read a prompt and said `said`. */
async function after(prompt: string, said: string, drafter = new ToolSpecDrafter(tokenizer, none)) {
  await drafter.begin(codes(prompt), GREEDY);
  if (said !== "") await drafter.observe({ committed: codes(said) } as never);
  return drafter;
}

/** The likeliest path of the draft, and all leaves. */
async function draftAfter(prompt: string, said: string, drafter?: ToolSpecDrafter): Promise<string[]> {
  const made = await after(prompt, said, drafter);
  const { tokens, parents } = await made.draft({ nodes: 400, depth: 200 }, new SeededChance(1));
  const paths: string[] = [];
  tokens.forEach((token, node) => paths.push((paths[parents[node]] ?? "") + String.fromCharCode(token)));
  return paths.filter((path, node) => !parents.includes(node) && path !== "");
}

test("tools and calls are found in the midst of text, however they are written", () => {
  const text = `${
    promptOf([weather, news])
  } {not json} [1, {"a": ] <tool_call>\n{"name": "get_news", "arguments": {"topic":"sea", "n": 2}}`;
  const { tools, calls } = toolsIn(text);
  assert.deepEqual(tools.map(({ name }) => name), ["get_weather", "get_news"]);
  assert.deepEqual(tools[0].parameters.map(({ name, required }) => [name, required]), [["city", true], ["unit", true], [
    "days",
    false,
  ]]);
  assert.deepEqual(tools[0].parameters[1].values, ['"celsius"', '"fahrenheit"']);
  assert.deepEqual(calls.map(({ tool, values }) => [tool, [...values]]), [["get_news", [["topic", '"sea"'], [
    "n",
    "2",
  ]]]]);
  assert.deepEqual(toolsIn('"name" '.repeat(3) + "[".repeat(50)), { tools: [], calls: [] });
});

test("a prompt of brackets stalls nothing, and tools behind open ones are found", () => {
  const tools = JSON.stringify([{ name: "f", parameters: {} }]);
  for (const text of ["[".repeat(16_000), "[".repeat(16_000) + "}", '{"a":'.repeat(16_000) + "]"]) {
    const start = performance.now();
    toolsIn(`"name" ${text}`);
    const took = performance.now() - start;
    assert.ok(took < 1000, `${took} ms`); // 4.5 s where every bracket is read to the end
    assert.equal(toolsIn(`${tools} ${text}`).tools.length, 1);
  }
  assert.equal(toolsIn(`${"[".repeat(2000)} ${tools}, `).tools.length, 1);
  assert.deepEqual(toolsIn(`"name" ${"[".repeat(30_000)}${"]".repeat(30_000)}`).tools, [], "deep");
});

test("an answer costs as much for its last token as for its first", async () => {
  const drafter = await after(promptOf([weather, news]), "", new ToolSpecDrafter(tokenizer, none));
  const text = '{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "celsius"}} and {now} so on. '.repeat(
    200,
  );
  const start = performance.now();
  for (const letter of text) {
    await drafter.observe({ committed: codes(letter) } as never);
    await drafter.draft({ nodes: 1, depth: 1 }, new SeededChance(1));
  }
  const took = performance.now() - start;
  assert.ok(took < 5000, `${took} ms`);
  assert.equal(
    (await draftAfter(promptOf([weather]), `${"say {so} ".repeat(9)}{"name": "get_w`))[0].slice(0, 9),
    'eather", ',
  );
});

test("a long call is not kept", async () => {
  const call = (city: string) => `{"name": "get_weather", "arguments": {"city": "${city}", "unit": "celsius"}}`;
  const drafter = new ToolSpecDrafter(tokenizer, none);
  await after(promptOf([weather]), call("x".repeat(5000)), drafter);
  const draft = await draftAfter(promptOf([weather]), '{"name": "get_weather", "arguments": {"city": "', drafter);
  assert.ok(draft.every((path) => !path.startsWith("x")), `${draft}`.slice(0, 99));
});

test("the beginning of a JSON text is read as JSON.parse reads the whole, and ends where it ends", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), fc.nat(), (value, cut) => {
      const text = JSON.stringify(value);
      const whole = jsonPrefix(`${text} and more`)!;
      assert.deepEqual([whole.levels.length, whole.length], [0, text.length]);
      const part = text.slice(0, 1 + cut % text.length);
      const prefix = jsonPrefix(part)!;
      assert.ok(prefix !== undefined && (part === text || prefix.levels.length > 0), part);
    }),
    { numRuns: 300 },
  );
  for (const broken of ['{"a" 1', "{1: 2", "[1 2", '{"a":: 1', "{,", "]", "x", '{"a":}']) {
    assert.equal(jsonPrefix(broken), undefined, broken);
  }
});

test("the schema fills what it fixes: names, quotes, allowed values, brackets", async () => {
  const prompt = promptOf([weather, news]);
  assert.equal((await draftAfter(prompt, '{"name": "get_w'))[0], 'eather", "arguments": {"city": "');
  assert.ok((await draftAfter(prompt, '{"name": "get_')).some((path) => path.startsWith("news")));
  const city = '{"name": "get_weather", "arguments": {"city": "Oslo"';
  const next = await draftAfter(prompt, city);
  assert.ok(next[0].startsWith(', "unit": "'), next.join(" | "));
  assert.ok(
    next.some((path) => path.startsWith(', "unit": "celsius"')) &&
      next.some((path) => path.startsWith(', "unit": "fahrenheit"')),
  );
  assert.ok((await draftAfter(prompt, `${city}, "unit": "f`))[0].startsWith('ahrenheit"}}'));
  assert.deepEqual(await draftAfter(prompt, `${city}, "unit": "celsius", "days": 3}`), ["}"]);
  assert.deepEqual(await draftAfter(prompt, '{"name": "get_news", "arguments": {"topic": "wi'), [], "nobody knows");
  assert.deepEqual(await draftAfter(prompt, "The weather is fine"), []);
  assert.deepEqual(await draftAfter("Tell me a story.", '{"name": "get_w'), [], "no tools");
});

test("a call that has a line for every key goes on in that way", async () => {
  const begun = '{\n  "name": "get_weather",\n  "arguments": {\n    "city": "Oslo"';
  const steps = [
    ['{\n  "na', 'me": "get_'],
    ['{\n  "name": "get_weather"', ',\n  "arguments": {'],
    ['{\n  "name": "get_weather",\n', '  "arguments": {\n    "city": "'],
    [begun, ',\n    "unit": "'],
    [`${begun},\n    "unit": "celsius",\n    "days": 3`, ""],
    [`${begun},\n    "unit": "celsius",\n    "days": 3\n  }`, "\n}"],
  ];
  for (const [said, next] of steps) {
    const paths = await draftAfter(promptOf([weather, news]), said);
    assert.ok(next === "" ? paths.length === 0 : paths[0]?.startsWith(next), `${said} ⟨${next}⟩ ${paths[0]}`);
  }
});

test("where the machine has been wrong the other drafter comes first, until it is right again", async () => {
  const guess: Drafter = { ...none, laws: ["point"], draft: () => chainTree(codes("zz")) };
  const drafter = await after(promptOf([news]), "", new ToolSpecDrafter(tokenizer, guess));
  const first = async () => {
    const { tokens } = await drafter.draft({ nodes: 3, depth: 3 }, new SeededChance(1));
    return String.fromCharCode(...tokens);
  };
  assert.equal(await first(), '{"n');
  const wrong = '{"x": "y", "y": {"z": 1}, "v": 2, "w": 3, "name": "no", "a": 1, "b": 2, "c": 3, "d": 4, "e": 5';
  for (const letter of wrong) {
    await first();
    await drafter.observe({ committed: codes(letter) } as never);
  }
  assert.equal((await first()).slice(0, 2), "zz");
});

test("a call begins and ends as the prompt shows it", async () => {
  const qwen = promptOf([news], 'Answer with <tool_call>\n{"name": <name>, "arguments": <arguments>}\n</tool_call>');
  assert.deepEqual(await draftAfter(qwen, ""), ['<tool_call>\n{"name": "get_news", "arguments": {"topic": "']);
  assert.deepEqual(await draftAfter(qwen, '<tool_call>\n{"name": "get_news", "arguments": {"topic": "sea"'), [
    "}}\n</tool_call>",
  ]);
  const list = promptOf([news], 'Answer with <tool_call>[\n{"name": "f", "arguments": {}}]</tool_call>');
  assert.deepEqual(await draftAfter(list, '<tool_call>[\n{"name": "get_news", "arguments": {"topic": "sea"}}'), [
    "]</tool_call>",
  ]);
});

test("earlier calls are drafted again: of the prompt and of answers before, those first that agree with this one", async () => {
  const drafter = new ToolSpecDrafter(tokenizer, none);
  const prompt = promptOf([weather]);
  await after(
    prompt,
    '{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "fahrenheit", "days": 3}}',
    drafter,
  );
  await after(prompt, '{"name": "get_weather", "arguments": {"city": "Rome", "unit": "celsius", "days": 9}}', drafter);
  const draft = await draftAfter(prompt, '{"name": "get_weather", "arguments": {"city": "Os', drafter);
  assert.ok(draft[0].startsWith('lo", "unit": "fahrenheit", "days": 3}}'), draft[0]);
  const again = await draftAfter(prompt, "", drafter);
  assert.ok(
    again.some((path) => path.startsWith('{"name": "get_weather", "arguments": {"city": "Rome", "unit": "celsius"')),
    `${again}`,
  );
});

test("every character that the schema fixes stands in the draft, whatever the tools and the values", async () => {
  const name = fc.stringMatching(/^[a-z]{1,6}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      fc.array(fc.stringMatching(/^[A-Z ]{0,5}$/), { minLength: 3, maxLength: 3 }),
      fc.boolean(),
      async (names, keys, values, compact) => {
        const parameters = {
          type: "object",
          properties: Object.fromEntries(keys.map((key) => [key, string])),
          required: keys,
        };
        const tools = names.map((name) => ({ name, parameters }));
        const args = Object.fromEntries(keys.map((key, i) => [key, values[i]]));
        const call = { name: names[0], arguments: args };
        const text = compact ? JSON.stringify(call) : spaced(call);
        /** Behind the first colon it is known whether there are spaces; capitals are values, and so are their ends. */
        const begun = text.indexOf(":") + 2;
        for (let at = begun; at < text.length; at++) {
          const free = /(?:: ?"[A-Z ]*)$/.test(text.slice(0, at)) &&
            !names.some((name) => text.slice(0, at + 1).endsWith(`"${name[0]}`));
          if (free) continue;
          const paths = await draftAfter(promptOf(tools), text.slice(0, at));
          assert.ok(
            paths.some((path) => path[0] === text[at]),
            `${text.slice(0, at)} ⟨${text[at]}⟩ ${paths.join(" | ")}`,
          );
        }
      },
    ),
    { numRuns: 15 },
  );
});

test("what nobody fixes another drafter guesses, and its draft keeps to the plan", async () => {
  const guess: Drafter = { ...none, laws: ["point"], draft: ({ nodes }) => chainTree(codes("sea").subarray(0, nodes)) };
  const drafter = await after(
    promptOf([news]),
    '{"name": "get_news", "arguments": {"topic": "',
    new ToolSpecDrafter(tokenizer, guess),
  );
  const { tokens } = await drafter.draft({ nodes: 2, depth: 2 }, new SeededChance(1));
  assert.equal(String.fromCharCode(...tokens), "se");
  const few = await after(promptOf([weather, news]), '{"name": "');
  for (const nodes of [0, 1, 5]) {
    const tree = await few.draft({ nodes, depth: Math.min(nodes, 3) }, new SeededChance(1));
    assert.ok(tree.tokens.length <= nodes && tree.law === "point");
  }
});

test("a draft that nobody judged before the next text counts neither as right nor as wrong", async () => {
  const drafter = new ToolSpecDrafter(tokenizer, { ...none, laws: ["point"], draft: () => chainTree(codes("zz")) });
  for (let text = 0; text < 40; text++) {
    await drafter.begin(codes(promptOf([news])), GREEDY);
    await drafter.draft({ nodes: 3, depth: 3 }, new SeededChance(1));
    await drafter.begin(codes(promptOf([news])), GREEDY);
    await drafter.observe({ committed: codes("q") } as never);
  }
  await drafter.begin(codes(promptOf([news])), GREEDY);
  const { tokens } = await drafter.draft({ nodes: 3, depth: 3 }, new SeededChance(1));
  assert.equal(String.fromCharCode(...tokens), '{"n');
});
