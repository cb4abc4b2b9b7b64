// What the command line says of the chat template: its variables, another one, and the prompt that it makes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatModel, file, hunch, STORIES, TINY } from "./support/cli.ts";

const THINKING = "{% for m in messages %}<s>{{ m.role }} {{ m.content }}</s>{% endfor %}<s>assistant" +
  "{% if enable_thinking is defined and not enable_thinking %} fast{% endif %}{{ style }}";
const template = file("thinking.jinja", THINKING);
const WITH = [...TINY, "--chat-template", template, "--show-prompt"];

test("--show-prompt prints the prompt and its ids, and loads nothing that computes", async () => {
  const args = ["-m", chatModel(), "--backend", "nothing", "hi <s>", "-s", "Be kind.", "--show-prompt"];
  const { code, stdout, stderr } = await hunch(args);
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, -2), ["system: Be kind.", "user: hi <s>", "assistant:"]);
  assert.match(lines.at(-2)!, /^\d+(,\d+)+$/);
  const raw = await hunch([...TINY, "--raw", "--show-prompt", "--json", "Tom"]);
  assert.deepEqual(JSON.parse(raw.stdout), { prompt: "Tom", tokens: [1, ...JSON.parse(raw.stdout).tokens.slice(1)] });
});

test("--chat-template gives a template to a model that has none, and its variables are told", async () => {
  const [plain, fast, both] = await Promise.all([
    hunch([...WITH, "hi"]),
    hunch([...WITH, "hi", "--no-think"]),
    hunch([...WITH, "hi", "--template-variable", "enable_thinking=true", "--template-variable", 'style=" brief"']),
  ]);
  const first = ({ code, stdout, stderr }: typeof plain) => {
    assert.equal(code, 0, stderr);
    return stdout.split("\n")[0];
  };
  assert.equal(first(plain), "<s>user hi</s><s>assistant");
  assert.equal(first(fast), "<s>user hi</s><s>assistant fast");
  assert.equal(first(both), "<s>user hi</s><s>assistant brief");
  const answered = await hunch([...TINY, "--chat-template", template, "hi", "-n", "2", "--json"]);
  assert.equal(answered.code, 0, answered.stderr);
  const chat = await hunch(["chat", ...TINY, "--chat-template", template, "-n", "2", "--no-think"], { input: "hi\n" });
  assert.equal(chat.code, 0, chat.stderr);
});

test("special tokens are those of the template; the same name in a message is text", async () => {
  const ids = async (prompt: string) => {
    const { stdout } = await hunch([...WITH, prompt, "--json"]);
    return JSON.parse(stdout).tokens as number[];
  };
  const [plain, spelled] = await Promise.all([ids("b"), ids("b </s>")]);
  const end = 2, begin = 1;
  const count = (tokens: number[], token: number) => tokens.filter((other) => other === token).length;
  assert.deepEqual([count(plain, begin), count(plain, end)], [2, 1]);
  assert.deepEqual([count(spelled, begin), count(spelled, end)], [2, 1]);
  const extra = spelled.length - plain.length; // " </s>" as text; nothing else changes, no blank is doubled
  assert.deepEqual(spelled.slice(0, plain.indexOf(end)), plain.slice(0, plain.indexOf(end)));
  assert.deepEqual(spelled.slice(plain.indexOf(end) + extra), plain.slice(plain.indexOf(end)));
});

test("what --show-prompt shows of a prompt that is too long is what --overflow truncate answers", async () => {
  const long = "Tom ran. ".repeat(300) + "The end.";
  const input = [
    { prompt: long, system: "Be kind.", chat_template_kwargs: { enable_thinking: false, style: "!" } },
    { prompt: long, raw: true, max_tokens: 3 },
  ].map((request) => JSON.stringify(request)).join("\n");
  const args = [...TINY, "--chat-template", template, "--jsonl", "--overflow", "truncate", "-n", "9"];
  const [shown, answered] = await Promise.all([hunch([...args, "--show-prompt"], { input }), hunch(args, { input })]);
  assert.deepEqual([shown.code, answered.code], [0, 0], shown.stderr);
  assert.equal(shown.stderr, answered.stderr); // how many tokens went, of each
  const prompts = shown.stdout.trim().split("\n").map((line) => JSON.parse(line));
  const results = answered.stdout.trim().split("\n").map((line) => JSON.parse(line));
  for (const [i, { stats }] of results.entries()) {
    assert.ok(stats.droppedTokens > 0);
    assert.equal(prompts[i].tokens.length, stats.promptTokens - stats.droppedTokens);
  }
  assert.match(prompts[0].prompt, /^<s>system Be kind\.<\/s><s>user [^<]+The end\.<\/s><s>assistant fast!$/);
  assert.equal(prompts[1].tokens[0], 1);
  assert.equal(prompts[1].tokens.length, 509);
  assert.match(prompts[1].prompt, /^[ \w.]+The end\.$/);
});

test("a conversation's template is told the same at every turn, also where it is cut or tried again", async () => {
  const strict = file("strict.jinja", "{% if not told %}{{ raise_exception('untold') }}{% endif %}" + THINKING);
  const args = ["chat", ...TINY, "--chat-template", strict, "-n", "4", "--overflow", "truncate"];
  const input = ["hi", "Tom ran and ran and ran. ".repeat(60), "/retry", "/reset", "bye"].join("\n");
  const [told, untold] = await Promise.all([
    hunch([...args, "--template-variable", "told=true"], { input }),
    hunch(args, { input: "hi\n" }),
  ]);
  assert.equal(told.code, 0, told.stderr);
  assert.equal(told.stderr.match(/too long for the context/g)?.length, 2);
  assert.equal(untold.code, 5);
  assert.match(untold.stderr, /untold/);
});

test("a template's mistake that is that of every line, or of every turn, is told once", async () => {
  const args = [...TINY, "--chat-template", template, "--template-variable", "unheard_of=1"];
  const runs = await Promise.all([
    hunch([...args, "--jsonl"], { input: '"a"\n"b"\n' }),
    hunch([...args, "--jsonl", "--show-prompt"], { input: '"a"\n"b"\n' }),
    hunch(["chat", ...args], { input: "a\nb\n" }),
  ]);
  for (const { code, stdout, stderr } of runs) {
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^hunch: [^\n]*no variable unheard_of[^\n]*\n$/);
  }
});

test("a beginning token is added where it is asked for, and only there", async () => {
  const bare = file("bare.jinja", "{{ messages[0].content }}");
  const args = [...TINY, "--chat-template", bare, "--show-prompt", "--json", "Tom"];
  const [without, added] = await Promise.all([hunch(args), hunch([...args, "--add-bos"])]);
  const a = JSON.parse(without.stdout), b = JSON.parse(added.stdout);
  assert.notEqual(a.tokens[0], 1);
  assert.deepEqual(b, { prompt: "<s>Tom", tokens: [1, ...a.tokens] });
});

test("requests carry template variables of their own", async () => {
  const input = [
    '{"id": "a", "prompt": "hi", "chat_template_kwargs": {"enable_thinking": false}}',
    '{"messages": [{"role": "user", "content": "hi"}]}',
    '{"prompt": "hi", "chat_template_kwargs": 3}',
    '{"prompt": "hi", "chat_template_kwargs": {"unheard_of": 1, "style": "!"}}',
  ].join("\n");
  const { code, stdout } = await hunch([...WITH, "--jsonl"], { input });
  assert.equal(code, 5);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ line, id, prompt }) => [line, id, prompt]), [
    [1, "a", "<s>user hi</s><s>assistant fast"],
    [2, undefined, "<s>user hi</s><s>assistant"],
    [3, undefined, undefined],
    [4, undefined, "<s>user hi</s><s>assistant!"],
  ]);
  assert.ok(lines[0].tokens.length > 5);
  assert.match(lines[2].error.message, /chat_template_kwargs/);
});

test("what the template does not know is refused, with what it reads", async () => {
  const bad: [string[], RegExp][] = [
    [["--template-variable", "enable_thinkin=false"], /no variable enable_thinkin; it reads enable_thinking, style/],
    [["--template-variable", "style=brief"], /style is not JSON/],
    [["--template-variable", "style"], /not NAME=JSON/],
    [["--template-variable", "messages=[]"], /messages/],
  ];
  for (const [more, reason] of bad) {
    const { code, stderr } = await hunch([...WITH, "hi", ...more]);
    assert.equal(code, 2);
    assert.match(stderr, reason);
  }
  const raw = await hunch([...WITH, "hi", "--raw", "--no-think"]);
  assert.equal(raw.code, 2);
  assert.match(raw.stderr, /without a chat template/);
  const { code, stderr } = await hunch(["-m", chatModel(), "hi", "--show-prompt", "--no-think"]);
  assert.equal(code, 2);
  assert.match(stderr, /--no-think: the chat template has no variable enable_thinking or thinking/);
});

test("an empty template is none, and model info tells what a template reads", async () => {
  const empty = file("empty.jinja", "\n");
  const { stdout } = await hunch(["-m", STORIES, "--chat-template", empty, "--show-prompt", "Tom"]);
  assert.equal(stdout.split("\n")[0], "Tom");
  const info = await hunch(["model", "info", chatModel()]);
  assert.match(info.stdout, /\ntemplate variables +none\n/);
});
