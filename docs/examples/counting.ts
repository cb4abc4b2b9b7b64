// A backend in one file: whatever the model, token t is followed by t + 1. It looks only at each row's own token, so a row
// has the same scores in chains and in trees. See docs/plugins.md.
//
//   hunch --plugin docs/examples/counting.ts --backend counting "Once"
import type { Backend, Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import type { Plugin } from "../../src/plugins/plugin.ts";

const counting: Backend = {
  name: "counting",
  offers: () => [{ format: "float32", bytes: 0 }],
  load(source, { format, context = source.spec.context }) {
    if (format !== "auto" && format !== "float32") throw new Error(`it has no weights in the format ${format}`);
    const engine: Engine = {
      name: "counting",
      source,
      format: "float32",
      context,
      maxRows: context,
      can: { tree: true, exact: "trees", deviceRules: [], rewind: "truncate" },
      open: () => sequence(source.spec.vocab, context, []),
      cost: () => NaN, // nothing was measured
      calibrate: () => Promise.resolve(),
      close() {},
    };
    return Promise.resolve(engine);
  },
};

function sequence(vocab: number, context: number, committed: readonly number[]): Sequence {
  let kept = committed;
  let pending = new Int32Array(0);
  return {
    get length() {
      return kept.length;
    },
    forward({ tokens, score, temperature = 1 }: Rows): Promise<Scores> {
      if (kept.length + tokens.length > context) throw new Error("the context is full");
      pending = tokens.slice();
      return Promise.resolve(scoresOf(score === "last" ? pending.slice(-1) : pending, vocab, temperature));
    },
    keep(path) {
      kept = [...kept, ...Array.from(path, (row) => pending[row])];
    },
    rewind(length) {
      kept = kept.slice(0, length);
    },
    fork: () => sequence(vocab, context, kept),
    close() {},
  };
}

/** Logit 1 for the token after each row's own, 0 for all others. */
function scoresOf(rows: Int32Array, vocab: number, temperature: number): Scores {
  const next = (row: number) => (rows[row] + 1) % vocab;
  const likeliest = Math.exp(1 / temperature);
  const probability = (row: number, token: number) => (token === next(row) ? likeliest : 1) / (likeliest + vocab - 1);
  const all = (row: number) => Float64Array.from({ length: vocab }, (_, token) => probability(row, token));
  return {
    rows: rows.length,
    vocab,
    argmax: next,
    probability,
    distribution: (row) => ({ vocab, probabilities: all(row) }),
    logits: (row) => Float64Array.from({ length: vocab }, (_, token) => token === next(row) ? 1 : 0),
    top(row, k) {
      const others = Array.from({ length: vocab }, (_, token) => token).filter((token) => token !== next(row));
      const tokens = Int32Array.from([next(row), ...others].slice(0, k));
      return { tokens, probabilities: Float32Array.from(tokens, (token) => probability(row, token)) };
    },
  };
}

const plugin: Plugin<"backend"> = {
  kind: "backend",
  name: "counting",
  summary: "token t is followed by t + 1",
  create: () => counting,
};
export default plugin;
