// Every way of asking for scores tells the same story, at every temperature; equal scores go to the lowest token.
import { type Need, NEEDS, type Scores } from "../../backend.ts";
import { type Case, expectThat } from "./case.ts";
import type { Bench } from "./engine-bench.ts";

/** Probabilities may come as float32 from sums over the whole vocabulary. */
const NEAR = 2e-5;

export function scoreCases(bench: Bench): Case[] {
  const withScores = async (
    rows: { temperature?: number; need?: Need },
    use: (scores: Scores, row: number, probabilities: Float64Array) => void,
  ) => {
    const tokens = (await bench.tokens()).slice(0, 6);
    await bench.sequence(async (sequence) => {
      const scores = await sequence.forward({ tokens, ...rows });
      await scores.load?.();
      expectThat(scores.rows === tokens.length, `${scores.rows} rows of scores for ${tokens.length} tokens`);
      for (let row = 0; row < scores.rows; row++) {
        use(scores, row, softmax(scores.logits(row), rows.temperature ?? 1));
      }
    });
  };

  return [
    {
      name: "logits are finite, one per token of the vocabulary",
      async run() {
        const { source } = await bench.engine();
        await withScores({}, (scores, row) => {
          const logits = scores.logits(row);
          expectThat(scores.vocab === source.spec.vocab, `a vocabulary of ${scores.vocab}, not ${source.spec.vocab}`);
          expectThat(logits.length === scores.vocab, `${logits.length} logits for ${scores.vocab} tokens`);
          expectThat(logits.every((logit) => Number.isFinite(logit)), `row ${row} has logits that are not finite`);
        });
      },
    },
    ...NEEDS.map((need): Case => ({
      name: `what a pass for ${need} was asked for is there at once, and the same as of a pass for everything`,
      async run() {
        const tokens = (await bench.tokens()).slice(0, 6);
        await bench.sequence(async (sequence) => {
          const asked = (scores: Scores) =>
            Array.from({ length: scores.rows }, (_, row) => ({
              argmax: scores.argmax(row),
              ...at(need, "candidates") && { top: scores.top(row, Math.min(64, scores.vocab)).tokens },
              ...at(need, "probabilities") && { likely: Math.fround(scores.probability(row, 1)) },
              ...at(need, "logits") && { logits: scores.logits(row).slice() },
            }));
          const everything = await sequence.forward({ tokens });
          const wanted = asked(everything);
          const some = asked(await sequence.forward({ tokens, need }));
          some.forEach((row, i) => {
            expectThat(row.argmax === wanted[i].argmax, `row ${i}: argmax ${row.argmax}, not ${wanted[i].argmax}`);
            expectThat(String(row.top) === String(wanted[i].top), `row ${i}: top ${row.top}, not ${wanted[i].top}`);
            expectNear(row.likely || 0, wanted[i].likely || 0, `row ${i}: the probability of token 1`);
            if (row.logits) {
              const [own, all] = [row.logits, wanted[i].logits!].map((logits) => Float64Array.from(logits));
              bench.same(own, all, true, `logits of row ${i}`);
            }
          });
        });
      },
    })),
    ...NEEDS.map((need): Case => ({
      name: `argmax, top, probability and distribution tell what the logits tell (need: ${need})`,
      run: () =>
        withScores({ need }, (scores, row, wanted) => {
          const order = ranking(scores.logits(row));
          expectThat(scores.argmax(row) === order[0], `argmax ${scores.argmax(row)} where token ${order[0]} leads`);
          for (const k of [1, 2, 10, 64, 65, scores.vocab]) expectTop(scores, row, Math.min(k, scores.vocab), wanted);
          for (const token of new Set([...order.slice(0, 4), order.at(-1)!, 0, scores.vocab - 1])) {
            expectNear(scores.probability(row, token), wanted[token], `probability of token ${token} in row ${row}`);
          }
          expectDistribution(scores, row, wanted);
        }),
    })),
    ...[0.25, 0.8, 1, 2.5].map((temperature): Case => ({
      name: `probabilities follow temperature ${temperature}, logits do not`,
      async run() {
        const cold: number[][] = [];
        await withScores(
          {},
          (scores, row) => void cold.push(Array.from(scores.logits(row), (_, t) => scores.logits(row)[t])),
        );
        await withScores({ temperature, need: "probabilities" }, (scores, row, wanted) => {
          bench.same(Float64Array.from(scores.logits(row)), Float64Array.from(cold[row]), true, `logits of row ${row}`);
          expectTop(scores, row, Math.min(8, scores.vocab), wanted);
          expectNear(scores.probability(row, 0), wanted[0], `probability of token 0 in row ${row}`);
          expectDistribution(scores, row, wanted);
        });
      },
    })),
  ];
}

/** Whether a pass for `need` must have brought `part`. */
function at(need: Need, part: Need): boolean {
  return NEEDS.indexOf(need) >= NEEDS.indexOf(part);
}

function expectTop(scores: Scores, row: number, k: number, wanted: Float64Array): void {
  const { tokens, probabilities } = scores.top(row, k);
  const order = ranking(scores.logits(row));
  expectThat(tokens.length === k && probabilities.length === k, `top ${k} of row ${row} has ${tokens.length} tokens`);
  tokens.forEach((token, place) => {
    expectThat(token === order[place], `place ${place} of top ${k} is token ${token} where ${order[place]} belongs`);
    expectNear(probabilities[place], wanted[token], `probability of place ${place} of top ${k} in row ${row}`);
  });
}

function expectDistribution(scores: Scores, row: number, wanted: Float64Array): void {
  const { vocab, tokens, probabilities } = scores.distribution(row);
  expectThat(vocab === scores.vocab, `a distribution over ${vocab} tokens, not ${scores.vocab}`);
  const sum = probabilities.reduce((a, b) => a + b, 0);
  expectThat(Math.abs(sum - 1) < 1e-9, `the distribution of row ${row} sums to ${sum}`);
  if (tokens) {
    expectThat(tokens.every((token, i) => i === 0 || tokens[i - 1] < token), "a sparse distribution is not ascending");
  } else {
    expectThat(probabilities.length === vocab, `${probabilities.length} probabilities for ${vocab} tokens`);
  }
  probabilities.forEach((value, i) => expectNear(value, wanted[tokens ? tokens[i] : i], `distribution of row ${row}`));
}

function expectNear(actual: number, wanted: number, what: string): void {
  expectThat(Math.abs(actual - wanted) <= NEAR, () => `${what} is ${actual} where the logits say ${wanted}`);
}

function softmax(logits: ArrayLike<number>, temperature: number): Float64Array {
  const scaled = Float64Array.from(logits, (logit) => logit / temperature);
  const highest = scaled.reduce((a, b) => Math.max(a, b));
  const weights = scaled.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** All tokens, the likeliest first, equal ones by ascending id. */
function ranking(logits: ArrayLike<number>): number[] {
  return Array.from(logits, (_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b);
}
