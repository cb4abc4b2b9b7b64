// Whether a converted model fits, asked before it is made: on disk, and in memory when it is used.
import { statfsSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { HunchError } from "./errors.ts";

/** Bytes of memory that the program takes with a small model and a short text. */
const PROGRAM = 250e6;

/** Bytes that may still be written where `path` is to be, and the machine's memory; Infinity where nobody can tell. */
export interface Room {
  readonly disk: number;
  readonly memory: number;
}

export function roomFor(path: string): Room {
  const allowed = process.constrainedMemory?.() || Infinity; // a container's share
  return { disk: freeBeside(path), memory: Math.min(totalmem(), allowed) };
}

/** In the file system of `path`, or of the first folder above that is there. Pipes and devices take anything. */
function freeBeside(path: string): number {
  try {
    const about = statSync(path, { throwIfNoEntry: false });
    if (about !== undefined && !about.isFile() && !about.isDirectory()) return Infinity;
    if (about === undefined && dirname(path) !== path) return freeBeside(dirname(path));
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity; // writing it will tell
  }
}

/**
 * What is said while `path` is made of `title`: what it takes. Throws HunchError("unavailable") where that is more than
 * there is of `room`; `hint` says what to do where the disk is full.
 */
export function conversionStep(
  { title, path, bytes, hint }: {
    readonly title: string;
    readonly path: string;
    readonly bytes: number;
    readonly hint: string;
  },
  room: Room = roomFor(path),
): string {
  const taken = megabytes(bytes);
  if (bytes > room.disk) {
    const message = `${title} takes ${taken} of disk when it is converted, and ${megabytes(room.disk)} are left`;
    throw new HunchError("unavailable", message, { file: path, hint });
  }
  if (bytes + PROGRAM > room.memory) {
    const message = `${title} takes at least ${taken} of memory in this format, and this machine has ${
      megabytes(room.memory)
    }`;
    const smaller = "take a smaller model, one quantised to fewer bits, or another --format";
    throw new HunchError("unavailable", message, { file: path, hint: smaller });
  }
  return `converting to ${taken} on disk and at least as much in memory`;
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes)} bytes` : `${Math.ceil(bytes / 1e6)} MB`;
}
