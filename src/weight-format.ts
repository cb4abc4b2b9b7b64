// How an engine holds a model's weights.

/** In the order in which they are told. `exact`: the file's own numbers; `int8`: rotated, per column, activations per row; `float32`. */
export const WEIGHT_FORMATS = ["exact", "int8", "float32"] as const;

export type WeightFormat = typeof WEIGHT_FORMATS[number];
