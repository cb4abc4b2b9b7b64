// hunch generate: what goes to stdout, what to stderr, and how it ends.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chatModel, file, FOLDER, hunch, hunchProcess, QUICK, STORIES, STORIES_DRAFT, TINY } from "./support/cli.ts";

const PROMPT = "Once upon a time";

test("stdout has the text and nothing else, and stderr nothing where it is no terminal", async () => {
  const { code, stdout, stderr } = await hunchProcess([...TINY, PROMPT, "-n", "20"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^, there was a little/);
  assert.equal(stderr, "");
});

test("the prompt may come from the argument, from a file and from stdin", async () => {
  const path = file("prompt.txt", PROMPT + "\n");
  const answers = await Promise.all([
    hunch([...TINY, PROMPT, "-n", "12"]),
    hunch(["generate", ...TINY, PROMPT, "-n", "12"]),
    hunch([...TINY, "--file", path, "-n", "12"]),
    hunchProcess([...TINY, "-n", "12"], { input: PROMPT + "\n" }),
  ]);
  for (const { code, stdout, stderr } of answers) {
    assert.equal(code, 0, stderr);
    assert.equal(stdout, answers[0].stdout);
  }
});

test("stdin beside a prompt is its context: context, empty line, prompt", async () => {
  const [together, apart] = await Promise.all([
    hunch([...TINY, "Tom was", "-n", "12", "--json"], { input: "Tom had a dog.\n" }),
    hunch([...TINY, "Tom had a dog.\n\nTom was", "-n", "12", "--json"]),
  ]);
  assert.equal(JSON.parse(together.stdout).text, JSON.parse(apart.stdout).text);
  assert.equal(JSON.parse(together.stdout).stats.promptTokens, JSON.parse(apart.stdout).stats.promptTokens);
});

test("a drafter changes the work and not the text", async () => {
  const spec = (
    drafter: string,
  ) => [...TINY, PROMPT, "-n", "60", "--json", "--drafter", drafter, "--controller", "fixed?nodes=4"];
  const [none, lookup, model] = await Promise.all(
    ["none", "lookup", `model:${STORIES_DRAFT}`].map(async (drafter) => {
      const { code, stdout, stderr } = await hunch(spec(drafter));
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    }),
  );
  assert.equal(lookup.text, none.text);
  assert.deepEqual(model.tokens, none.tokens);
  assert.equal(none.stats.drafted, 0);
  assert.ok(model.stats.accepted > 0);
  assert.ok(model.stats.passes < none.stats.passes);
});

test("the same seed gives the same sampled text, with a drafter or without, and the seed is told", async () => {
  const args = [...TINY, PROMPT, "-n", "40", "-t", "1", "--json"];
  const [first, again, plain, other] = await Promise.all([
    hunch([...args, "--seed", "7"]),
    hunch([...args, "--seed", "7"]),
    hunch([...args, "--seed", "7", "--drafter", "none"]),
    hunch(args),
  ]).then((all) => all.map(({ stdout }) => JSON.parse(stdout)));
  assert.equal(first.seed, "7");
  assert.equal(again.text, first.text);
  assert.equal(plain.text, first.text);
  assert.notEqual(other.text, first.text);
  assert.match(other.seed, /^\d+$/);
});

test("the summary tells speed, acceptance and methods on stderr when it is asked for", async () => {
  const drafting = ["--drafter", "lookup", "--controller", "fixed?nodes=3"];
  const args = [...TINY, "--summary", "-n", "30", ...drafting, PROMPT + " " + PROMPT];
  const { stdout, stderr } = await hunch(args);
  assert.match(stderr, /tokens\/s/);
  assert.match(stderr, /tokens per pass/);
  assert.match(stderr, /stopped at 30 tokens/);
  assert.match(stderr, /lookup, greedy, fixed · reference float32 · lossless/);
  assert.doesNotMatch(stderr, /\x1b/);
  assert.doesNotMatch(stdout, /\x1b/);
});

test("--color marks drafted and accepted text and changes nothing else", async () => {
  const args = [...TINY, "-n", "50", "--drafter", "lookup", "--controller", "fixed?nodes=3", PROMPT];
  const [plain, marked] = await Promise.all([hunch(args), hunch([...args, "--color", "always"])]);
  assert.match(marked.stdout, /\x1b\[32m[^\x1b]+\x1b\[39m/);
  assert.equal(marked.stdout.replaceAll(/\x1b\[\d+m/g, ""), plain.stdout);
});

test("a closed pipe ends quietly", async () => {
  const { code, stderr } = await hunchProcess([...TINY, PROMPT, "-n", "400"], {
    watch: (child) => child.stdout!.destroy(),
  });
  assert.equal(stderr, "");
  assert.equal(code, 0);
});

test("Ctrl-C stops the answer, shows the summary and exits with 130", async () => {
  let sent = false;
  const { code, stdout, stderr } = await hunchProcess([...TINY, PROMPT, "-n", "480", "--summary", "--stop", "\u0001"], {
    watch: (child) => {
      if (!sent) child.kill("SIGINT");
      sent = true;
    },
  });
  assert.equal(code, 130);
  assert.ok(stdout.length > 0);
  assert.match(stderr, /interrupted/);
  assert.match(stderr, /tokens\/s/);
});

test("a stop text ends the answer before it", async () => {
  const { stdout } = await hunch([...TINY, PROMPT, "-n", "100", "--stop", "."]);
  assert.match(stdout, /^, there was a little girl[^.]*$/);
});

test("text that is redirected ends with one line break, JSON has the text as it is", async () => {
  const args = [...TINY, PROMPT, "-n", "12"];
  const [text, bare, json, broken] = await Promise.all([
    hunch(args),
    hunch([...args, "--no-newline"]),
    hunch([...args, "--json"]),
    hunch([...TINY, "The first line\nThe second line\n", "--raw", "-n", "400", "--stop", " "]),
  ]);
  const exact = JSON.parse(json.stdout).text;
  assert.ok(!exact.endsWith("\n"));
  assert.deepEqual([text.stdout, bare.stdout], [`${exact}\n`, exact]);
  assert.ok(!broken.stdout.endsWith("\n\n"), JSON.stringify(broken.stdout));
});

test("blank stdin alone is no prompt, and beside one it is no context", async () => {
  const [alone, beside] = await Promise.all([
    hunch([...TINY], { input: " \n\n" }),
    hunch([...TINY, PROMPT, "-n", "3", "--json"], { input: "\n" }),
  ]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /^hunch: there is no text on stdin; give one/);
  const apart = await hunch([...TINY, PROMPT, "-n", "3", "--json"]);
  assert.equal(JSON.parse(beside.stdout).stats.promptTokens, JSON.parse(apart.stdout).stats.promptTokens);
});

test("text without an end is cut off at what the context can hold", async () => {
  const endless = Buffer.alloc(8 << 20, "Tom ran. ");
  const [piped, file] = await Promise.all([
    hunchProcess([...TINY, "-n", "3"], { input: endless }),
    process.platform === "win32" ? undefined : hunch([...TINY, "-n", "3", "--file", "/dev/zero"]),
  ]);
  for (const ended of [piped, file]) {
    if (ended === undefined) continue;
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /^hunch: this text has more than \d+ bytes, and the context cannot hold so many/);
  }
});

test("an answer that fills the context says so", async () => {
  const prompt = "Tom ran and ran. ".repeat(63); // most of the context of 512
  const [full, asked] = await Promise.all([
    hunch(["-m", STORIES, ...QUICK, prompt, "--stop", "\u0001", "--json"]),
    hunch(["-m", STORIES, ...QUICK, prompt, "--stop", "\u0001", "--json", "-n", "5"]),
  ]);
  const [rest, five] = [full, asked].map(({ stdout, stderr }) => {
    assert.equal(stderr, "");
    return JSON.parse(stdout);
  });
  assert.deepEqual([rest.finish, rest.stats.promptTokens + rest.tokens.length], ["context", 512]);
  assert.deepEqual([five.finish, five.tokens.length], ["length", 5]);
});

test("truncating leaves the system prompt and the frame of the template, and says so", async () => {
  const args = [...QUICK, "-m", chatModel(), "-s", "Be kind.", "-n", "20", "--overflow", "truncate"];
  const long = "Tom ran and ran. ".repeat(200) + "The very end.";
  const [told, quiet, json] = await Promise.all([
    hunch([...args, long]),
    hunch([...args, long, "--quiet"]),
    hunch([...args, long, "--json", "--summary"]),
  ]);
  const { stats } = JSON.parse(json.stdout);
  assert.match(told.stderr, /^hunch: the prompt is too long for the context: its oldest \d+ tokens were left out\n$/);
  assert.equal(quiet.stderr, "");
  assert.match(json.stderr, new RegExp(`${stats.droppedTokens} oldest prompt tokens dropped`));
  // As good as all of the context is used: 20 tokens for the answer, the rest for the prompt.
  const kept = stats.promptTokens - stats.droppedTokens;
  assert.ok(kept > 480 && kept <= 492, String(kept));
});

test("a prompt that does not fit is refused or truncated, as asked", async () => {
  const long = "Tom ran and ran. ".repeat(200);
  const [refused, truncated] = await Promise.all([
    hunch([...TINY, "-n", "5"], { input: long }),
    hunch(["-m", STORIES, ...QUICK, "-n", "5", "--overflow", "truncate", "--json"], { input: long }),
  ]);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /^hunch: .*do not fit the context of 512/);
  assert.equal(truncated.code, 0);
  assert.ok(JSON.parse(truncated.stdout).stats.droppedTokens > 0);
});

test("a chat template is used where the model has one, and --raw leaves it out", async () => {
  const model = chatModel();
  const args = ["--backend", "reference", "-m", model, "hi", "-n", "3", "--json"];
  const [chat, raw, system] = await Promise.all([
    hunch(args),
    hunch([...args, "--raw"]),
    hunch([...args, "-s", "Be kind."]),
  ]);
  const prompts = [chat, raw, system].map(({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).stats.promptTokens;
  });
  assert.ok(prompts[1] < prompts[0] && prompts[0] < prompts[2], String(prompts));
});

test("a plugin file adds a method", async () => {
  const path = file(
    "mine.ts",
    `export default { kind: "drafter", name: "mine", summary: "never guesses", create: () => ({
      name: "mine", laws: [] as string[], begin() {}, observe() {}, draft() { throw new Error("not asked"); } }) };`,
  );
  const [used, listed] = await Promise.all([
    hunch([...TINY, "--plugin", path, "--drafter", "mine", PROMPT, "-n", "3", "--json"]),
    hunch(["plugin", "list", "--plugin", path, "--json"]),
  ]);
  assert.equal(used.code, 0, used.stderr);
  assert.equal(JSON.parse(used.stdout).stats.method.drafter, "mine");
  assert.ok(JSON.parse(listed.stdout).some((plugin: { name: string }) => plugin.name === "mine"));
});

test("text that is no UTF-8 is refused with its offset", async () => {
  const input = new Uint8Array([72, 105, 0xff, 72]);
  const { code, stderr } = await hunch([...TINY], { input });
  assert.equal(code, 3);
  assert.match(stderr, /^hunch: not UTF-8 text \(stdin, at byte 2\)/);
});

test("what a plugin throws where nobody waits for it is told in one line, with its place", async () => {
  for (const stray of ["setTimeout(() => { throw new Error('lost'); })", "Promise.reject(new Error('lost'))"]) {
    const drafter = `{ name: "stray", laws: ["point"], begin() { ${stray}; return new Promise(() => {}); },`;
    const made = `${drafter} draft() {}, observe() {} }`;
    const plugin = `export default { kind: "drafter", name: "stray", summary: "", create: () => (${made}) };`;
    const path = file(`stray-${stray.length}.js`, plugin);
    const { code, stderr } = await hunchProcess([...TINY, "hi", "-n", "1", "--plugin", path, "-d", "stray"]);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^hunch: plugin \(.*stray-\d+\.js:1\) failed beside its methods: lost\n$/);
  }
});

test("everything that is wrong gets one line and its exit code", async () => {
  const cut = file("cut.gguf", readFileSync(STORIES).subarray(0, 5000));
  const cases: [args: string[], code: number, says: RegExp][] = [
    [["--temprature", "1", "hi"], 2, /there is no option --temprature; did you mean .*--temperature/],
    [["hello", "world"], 2, /unexpected argument "world"; put quotes around the prompt/],
    [["modle", "info"], 2, /did you mean hunch model\?/],
    [["--temperature", "warm", "hi"], 2, /--temperature/],
    [["--format", "int9", "hi"], 2, /int9/],
    [[...TINY, "hi", "--drafter", "lokup"], 2, /did you mean lookup\?/],
    [[...TINY, "hi", "--rule", "greedy", "-t", "1"], 2, /cannot sample/],
    [[...TINY, "hi", "--top-p", "0.5"], 2, /top-p has no effect at temperature 0/],
    [[...TINY, "hi", "--top-k", "-1"], 2, /^hunch: --top-k -1 is out of range/],
    [
      [...TINY, "hi", "--context", "99999999999999999999"],
      2,
      /expected a whole number that is not so large, but got 9{20}; see/,
    ],
    [[...TINY, "hi", "--plugin", FOLDER], 3, /there is no such plugin file/],
    [[...TINY, "hi", "--seed", "5"], 2, /seed has no effect at temperature 0/],
    [["-m", "no-such.gguf", "hi"], 3, /there is no such model file \(no-such.gguf\)/],
    [["-m", STORIES, "--backend", "referense", "hi"], 2, /did you mean reference\?/],
    [["-m", cut, "--backend", "reference", "hi"], 3, /cut\.gguf, at byte \d+/],
    [[...TINY, "hi", "--drafter", `model:${chatModel()}`, "--plugin", "nothing.ts"], 3, /nothing\.ts/],
    [[...TINY, "--file", "missing.txt"], 3, /no such file \(missing\.txt\)/],
    [[...TINY, "-s", "x", "--raw", "hi"], 2, /no place for a system prompt/],
    [[...TINY, ""], 2, /^hunch: the prompt is empty/],
    [[...TINY, "--file", file("empty.txt", "\n \n")], 2, /this file is empty/],
    [[...TINY, "--file", file("nul.txt", "a\0b")], 3, /not text: there is a NUL byte \(.*nul\.txt, at byte 1\)/],
    [[...TINY, "--file", file("wide.txt", Buffer.from("hello", "utf16le"))], 3, /at byte 1.*UTF-16.*iconv -f utf-16/],
    [[...TINY, "--file", file("cut.txt", Uint8Array.of(104, 105, 0xf0, 0x9f, 0x99))], 3, /at byte 2/],
  ];
  for (let from = 0; from < cases.length; from += 4) {
    await Promise.all(
      cases.slice(from, from + 4).map(async ([args, code, says]) => {
        const ended = await hunch([...args, "-n", "1"]);
        assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
        assert.match(ended.stderr, says);
        if (code !== 0) {
          assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
          assert.ok(ended.stderr.startsWith("hunch: "), ended.stderr);
        }
      }),
    );
  }
});

test("a draft model of another vocabulary is refused with the first difference", async () => {
  const other = fileURL("../fixtures/tiny/gguf/llama-f32.gguf");
  const { code, stderr } = await hunch([...TINY, "hi", "--drafter", `model:${other}`]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /another vocabulary|tokenizer/);
});

function fileURL(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}
