// A proposer in one file: a token is as likely as it followed the token before it in this text. See docs/plugins.md.
//
//   hunch --plugin docs/examples/pairs.ts --drafter spine:pairs "Count from one to thirty in words."
import type { Proposer } from "../../src/drafter.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import type { Plugin } from "../../src/plugins/plugin.ts";

function pairs(vocab: number): Proposer {
  let text = new Int32Array(0);
  let temperature = 1;
  /** q after `last`: (how often each token followed it + 1)^(1/T), normalised. */
  const after = (last: number): Distribution => {
    const weights = new Float64Array(vocab).fill(1);
    for (let at = 1; at < text.length; at++) if (text[at - 1] === last) weights[text[at]]++;
    const most = weights.reduce((a, b) => Math.max(a, b));
    const likeliest = weights.indexOf(most);
    const raised = temperature === 0
      ? weights.map((_, token) => token === likeliest ? 1 : 0)
      : weights.map((weight) => (weight / most) ** (1 / temperature));
    const sum = raised.reduce((a, b) => a + b);
    return { vocab, probabilities: raised.map((weight) => weight / sum) };
  };
  return {
    vocab,
    sync(committed, sampling) {
      text = committed.slice(); // a view of a buffer that grows: copied
      temperature = sampling.temperature;
      return Promise.resolve();
    },
    // Without nodes: q after the root, which is the text's last token. Else q after each node.
    propose: ({ tokens }) => Promise.resolve(Array.from(tokens.length === 0 ? text.slice(-1) : tokens, after)),
  };
}

const plugin: Plugin<"proposer"> = {
  kind: "proposer",
  name: "pairs",
  summary: "how often a token followed the one before it",
  create: (_options, _argument, { target }) => pairs(target.source.spec.vocab),
};
export default plugin;
