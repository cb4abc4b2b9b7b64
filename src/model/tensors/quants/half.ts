// Half-precision numbers, by a table: looking one up is a fraction of what a conversion costs.

/** Half-precision bit pattern to number; made at first use. */
let halves: Float32Array | undefined;

export function halfTable(): Float32Array {
  return halves ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer));
}

/** The half-precision number at byte `at`. */
export function halfAt(half: Float32Array, raw: DataView, at: number): number {
  return half[raw.getUint16(at, true)];
}
