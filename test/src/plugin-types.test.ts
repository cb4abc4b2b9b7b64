// The types that `create` gets for the options of a plugin. tsc and deno check are the judges: each constant below has
// the type `true` or `false` that the compiler works out, and does not compile with the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Controller } from "../../src/controller.ts";
import { definePlugin, type OptionSpecs, type OptionValues, type Plugin } from "../../src/plugins/plugin.ts";

/** Whether two types are one and the same; `any` is only itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
/** Whether a value of A may stand where B is wanted. */
type Fits<A, B> = [A] extends [B] ? true : false;

const options = {
  most: { type: "integer", default: 8, summary: "" },
  scale: { type: "number", default: 0.5, summary: "" },
  fast: { type: "boolean", default: false, summary: "" },
  path: { type: "string", default: "here", summary: "" },
  mode: { type: "string", default: "soft", choices: ["soft", "hard"], summary: "" },
} as const;

interface Expected {
  readonly most: number;
  readonly scale: number;
  readonly fast: boolean;
  readonly path: string;
  readonly mode: "soft" | "hard";
}

const controller: Controller = { name: "typed", plan: () => ({ nodes: 0, depth: 0 }), observe() {} };
const head = { kind: "controller", name: "typed", summary: "" } as const;

const inferred = definePlugin({
  ...head,
  options: {
    most: { type: "integer", default: 8, summary: "" },
    scale: { type: "number", default: 0.5, summary: "" },
    fast: { type: "boolean", default: false, summary: "" },
    path: { type: "string", default: "here", summary: "" },
    mode: { type: "string", default: "soft", choices: ["soft", "hard"], summary: "" },
  },
  create(values) {
    const exact: Same<typeof values, Expected> = true;
    assert.ok(exact);
    return controller;
  },
});
const bare = definePlugin({
  ...head,
  create(values) {
    const nothing: Same<keyof typeof values, never> = true;
    assert.ok(nothing);
    return controller;
  },
});
/** As a file writes it that imports types only. */
const plain: Plugin<"controller", typeof options> = {
  ...head,
  options,
  create(values) {
    const exact: Same<{ [N in keyof typeof values]: (typeof values)[N] }, Expected> = true;
    assert.ok(exact);
    return controller;
  },
};

test("create gets the types that the options are declared with", async () => {
  const list: readonly Plugin[] = [inferred, bare, plain];
  const unknown: Same<OptionValues[string], number | boolean | string> = true;
  assert.ok(unknown);
  for (const plugin of list) assert.equal(await plugin.create({}, "", undefined as never), controller);
});

test("a wrong declaration and a wrong use of an option do not compile", () => {
  type Option<T, D> = { a: { type: T; default: D; summary: "" } };
  const right: Fits<Option<"integer", 8>, OptionSpecs> = true;
  const textForInteger: Fits<Option<"integer", "8">, OptionSpecs> = false;
  const numberForBoolean: Fits<Option<"boolean", 1>, OptionSpecs> = false;
  const unknownType: Fits<Option<"float", 1>, OptionSpecs> = false;
  assert.deepEqual([right, textForInteger, numberForBoolean, unknownType], [true, false, false, false]);

  type Values = OptionValues<typeof options>;
  const otherText: Fits<"medium", Values["mode"]> = false;
  const numberAsText: Fits<Values["most"], string> = false;
  const undeclared: Fits<"least", keyof Values> = false;
  assert.deepEqual([otherText, numberAsText, undeclared], [false, false, false]);
});
