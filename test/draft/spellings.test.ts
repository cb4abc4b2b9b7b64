// Spellings against a list of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededChance } from "../../src/chance.ts";
import { type Spelling, Spellings } from "../../src/draft/spellings.ts";
import { dense } from "../../src/math/distribution.ts";

const VOCAB = 3;

/** All that are found, as `path:token`. */
function found(spellings: Spellings): string[] {
  const out: string[] = [];
  const visit = (path: readonly number[], spelling: Spelling) => {
    if (spelling.token >= 0) out.push(`${path}:${spelling.token}`);
    for (const [own, next] of spelling.longer ?? []) visit([...path, own], next);
    assert.ok(spelling.token >= 0 || spelling.longer!.size > 0, "a beginning of nothing is left");
  };
  for (let own = 0; own < VOCAB; own++) {
    const after = spellings.after(own);
    assert.equal(spellings.begins[own], after === undefined ? 0 : 1);
    if (after !== undefined) visit([own], after);
  }
  return out.sort();
}

test("what was added and not taken back is found, and nothing else is left of it", () => {
  const chance = new SeededChance("spellings");
  const digit = () => chance.pick(dense([1, 1, 1]));
  const spellings = new Spellings(VOCAB);
  const list = new Map<string, number>();
  const paths = new Map<number, Int32Array>();
  for (let step = 0; step < 400; step++) {
    if (chance.flip(0.55) || paths.size === 0) {
      const path = Int32Array.from({ length: 2 + digit() }, digit);
      spellings.add(path, step);
      list.set(path.join(), step); // a later one takes its place
      paths.set(step, path);
    } else {
      const [token, path] = [...paths][step % paths.size];
      spellings.remove(path, token);
      paths.delete(token);
      if (list.get(path.join()) === token) list.delete(path.join());
    }
    assert.deepEqual(found(spellings), Array.from(list, ([path, token]) => `${path}:${token}`).sort());
  }
});
