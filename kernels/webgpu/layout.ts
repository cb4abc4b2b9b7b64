// What a kernel's WGSL declares, read from it, so that it is declared in one place: its bindings, and the fields of its
// uniform structures.
import type { Access, Device, Kernel } from "./device.ts";

const BINDING = /@group\(0\) @binding\((\d+)\) var<(uniform|storage, read|storage, read_write)>/g;
const ACCESS: Readonly<Record<string, Access>> = {
  uniform: "uniform",
  "storage, read": "read",
  "storage, read_write": "write",
};

/** A kernel with the bindings that its code declares. Throws Error where a binding is missing or declared twice. */
export function kernelOf(name: string, code: string): Kernel {
  const bindings = new Map<number, Access>();
  for (const [, index, access] of code.matchAll(BINDING)) {
    if (bindings.has(Number(index))) throw new Error(`${name} declares binding ${index} twice`);
    bindings.set(Number(index), ACCESS[access]);
  }
  return {
    name,
    code,
    bindings: Array.from(bindings, (_, i) => {
      const access = bindings.get(i);
      if (access === undefined) throw new Error(`${name} declares ${bindings.size} bindings, but none at ${i}`);
      return access;
    }),
  };
}

/** What a field is given: a number, or for a switch true (1) or false (0). */
export type FieldValue = number | boolean;

/** A uniform structure of 32-bit fields, as WGSL declares it. */
export class Structure {
  /** By name, in order: whether it is f32; else it is u32. */
  readonly #fields: ReadonlyMap<string, boolean>;

  /** Throws Error where `code` declares no structure of that name. */
  constructor(code: string, private readonly name = "Shape") {
    const [, body] = code.match(new RegExp(`struct ${name} \\{([^}]*)\\}`)) ?? [];
    if (body === undefined) throw new Error(`there is no structure ${name}`);
    const fields = [...body.matchAll(/^ *(\w+): (u32|f32),/gm)];
    this.#fields = new Map(fields.map(([, field, type]) => [field, type === "f32"]));
  }

  /** Throws Error where a field has no value, or a value no field. */
  pack(values: Readonly<Record<string, FieldValue>>): DataView<ArrayBuffer> {
    const view = new DataView(new ArrayBuffer(4 * this.#fields.size));
    let at = 0;
    for (const [field, float] of this.#fields) {
      const value = values[field];
      if (value === undefined) throw new Error(`${this.name}.${field} has no value`);
      if (float) view.setFloat32(at, Number(value), true);
      else view.setUint32(at, Number(value), true);
      at += 4;
    }
    const stranger = Object.keys(values).find((name) => !this.#fields.has(name));
    if (stranger !== undefined) throw new Error(`${this.name} has no field ${stranger}`);
    return view;
  }

  /** An empty buffer for it. */
  room(device: Device, label: string): GPUBuffer {
    return device.uniform(Math.ceil(this.#fields.size / 4) * 16, label);
  }

  /** A buffer that holds these values. */
  uniform(device: Device, values: Readonly<Record<string, FieldValue>>): GPUBuffer {
    const buffer = this.room(device, "shape");
    device.write(buffer, this.pack(values));
    return buffer;
  }
}
