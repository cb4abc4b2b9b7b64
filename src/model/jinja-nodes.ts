// Nodes and values of @huggingface/jinja, by their documented fields; the library exports no types for them.
import type { Interpreter } from "@huggingface/jinja";

export type Statement = Parameters<Interpreter["evaluate"]>[0];
export type Value = ReturnType<Interpreter["evaluate"]>;
export interface Node {
  readonly type: string;
}

/** A value that was evaluated already, in place of the expression it came from. */
export interface Evaluated extends Node {
  readonly type: "Evaluated";
  readonly value: Value;
}

/** A field of a node; the caller says of what type. */
export function part<T = Node>(node: object, field: string): T {
  return (node as unknown as Record<string, T>)[field];
}

/** A copy of a node with other fields; what evaluates it looks at `type`, not at its class. */
export function change<T extends object>(node: T, fields: Record<string, unknown>): T {
  return { ...node, ...fields };
}

export function evaluated(value: Value): Evaluated {
  return { type: "Evaluated", value };
}

/** Elements of an array or mapping, 0 of anything else. */
export function length(value: Value): number {
  const inside = value.value as unknown;
  return Array.isArray(inside) ? inside.length : inside instanceof Map ? inside.size : 0;
}

const counts = new WeakMap<object, number>();

/** Nodes under a node, itself included. */
export function countNodes(node: unknown): number {
  if (typeof node !== "object" || node === null) return 1;
  const known = counts.get(node);
  if (known !== undefined) return known;
  let count = 1;
  for (const child of node instanceof Map ? [...node].flat() : Object.values(node)) count += countNodes(child);
  counts.set(node, count);
  return count;
}
