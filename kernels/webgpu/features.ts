// What adapters can do and kernels make use of.

/** What kernels make use of where an adapter has it. The bits are the same either way. */
export interface Features {
  /** Neighbouring threads that add up by shuffles: 2, 4, 8 or 16; 1 where all go through workgroup memory. */
  readonly subgroups: number;
  /** float16 weights are read as such, not taken apart by the kernel. */
  readonly float16: boolean;
  /** Unpacking float16 keeps subnormal numbers; where it does not, the kernel puts them right. */
  readonly subnormals: boolean;
}

/** What every adapter can do. */
export const PLAIN: Features = { subgroups: 1, float16: false, subnormals: false };
