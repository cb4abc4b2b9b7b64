// --device: on which backend the target computes, and on which the models that draft for it.
import { HunchError } from "../../src/errors.ts";

/** Specs as `--backend` takes them. */
export interface Devices {
  readonly target: string;
  readonly draft: string;
}

const ROLES = ["draft", "target"] as const;
type Role = typeof ROLES[number];

/**
 * What `--device draft=onnx,target=webgpu` and `--backend` say together. Either part may be missing: the target is then
 * that of `--backend`, and drafts are computed where the target is. Throws HunchError("usage") where the two contradict
 * each other; `auto` contradicts nothing.
 */
export function devicesOf(device: string | undefined, backend: string): Devices {
  const given = device === undefined ? {} : parse(device);
  if (given.target !== undefined && backend !== "auto" && given.target !== backend) {
    throw new HunchError("usage", `--backend ${backend} and --device target=${given.target} contradict each other`, {
      hint: "leave one of them out",
    });
  }
  const target = given.target ?? backend;
  return { target, draft: given.draft ?? target };
}

function parse(device: string): Partial<Record<Role, string>> {
  const given: Partial<Record<Role, string>> = {};
  for (const part of device.split(",")) {
    const [role, spec] = split(part.trim());
    if (role === undefined || spec === "") {
      throw new HunchError("usage", `--device cannot be ${JSON.stringify(device)}`, {
        hint: "write draft=BACKEND, target=BACKEND or both with a comma between",
      });
    }
    if (given[role] !== undefined) {
      throw new HunchError("usage", `--device names ${role} twice`, { hint: "leave one of them out" });
    }
    given[role] = spec;
  }
  return given;
}

function split(part: string): [role: Role | undefined, spec: string] {
  const equals = part.indexOf("=");
  if (equals < 0) return [undefined, ""];
  return [ROLES.find((role) => role === part.slice(0, equals).trim()), part.slice(equals + 1).trim()];
}
