// Texts of the target itself, by which methods judge what may be left out of it: it goes on with a few beginnings of five
// kinds, those of KNN-SSD (arXiv 2505.16162), greedily. Not a method of its own.
import type { Engine } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";

export const BEGINNINGS = {
  summary: [
    "Article: The city council voted on Monday to close the old bridge for repairs. Traffic will be led over the northern " +
    "road until spring, and buses will run more often.\nSummary:",
    "Article: Scientists have found a small frog that was thought to be extinct. It lives in a single valley, and its " +
    "call sounds like a bell.\nSummary:",
    "Article: The company said that sales rose by a tenth last year, while costs fell. It plans to open two new shops and " +
    "to hire forty people.\nSummary:",
    "Article: Heavy rain flooded three villages on Saturday. Nobody was hurt, but the school will stay closed for a week." +
    "\nSummary:",
  ],
  reasoning: [
    "Question: Tom has 3 boxes with 4 apples each. He eats 2 apples. How many are left?\nAnswer: Let's think step by step.",
    "Question: A train goes 60 miles in one hour. How far does it go in 3 hours?\nAnswer: Let's think step by step.",
    "Question: Anna reads 12 pages a day. How many days does she need for 84 pages?\nAnswer: Let's think step by step.",
    "Question: A shirt costs 20 dollars and is sold for a quarter less. What is its price?\nAnswer: Let's think step by " +
    "step.",
  ],
  translation: [
    "English: Where is the station?\nFrench: Où est la gare ?\nEnglish: I would like a cup of coffee.\nFrench:",
    "English: Good morning.\nGerman: Guten Morgen.\nEnglish: The weather is very nice today.\nGerman:",
    "English: Thank you.\nSpanish: Gracias.\nEnglish: My brother lives in a small house.\nSpanish:",
    "English: The book is new.\nItalian: Il libro è nuovo.\nEnglish: We are going to the sea.\nItalian:",
  ],
  story: [
    "Once upon a time there was a little girl who lived near a dark forest. One day",
    "The old sailor looked at the sea and began to tell his story.",
    "Tom and Lily found a strange box in the garden.",
    "It was raining when the knight reached the castle.",
  ],
  sql: [
    "-- Table users(id, name, age, city)\n-- The names of all users older than 30\nSELECT",
    "-- Table orders(id, user_id, price, day)\n-- The sum of prices for each day\nSELECT",
    "-- Tables books(id, title, author_id), authors(id, name)\n-- Titles with their authors' names\nSELECT",
    "-- Table cities(id, name, country, people)\n-- The ten largest cities of France\nSELECT",
  ],
} as const;

export interface SelfText {
  readonly prompt: Int32Array;
  /** What the target says after it, at most as many tokens as were asked for. */
  readonly answer: Int32Array;
}

/**
 * Throws HunchError("usage") where the context has no room for them. None of beginnings that the vocabulary has no token
 * for.
 */
export async function selfTexts(engine: Engine, beginnings: readonly string[], most: number): Promise<SelfText[]> {
  const { tokenizer, path } = engine.source;
  const prompts = beginnings.map((beginning) => tokenizer.encode(beginning, { begin: true }));
  const needed = prompts.reduce((longest, { length }) => Math.max(longest, length), 0) + most;
  if (needed > engine.context) {
    const message = `blocks are searched for with texts of ${needed} tokens, and the context has ${engine.context}`;
    throw new HunchError("usage", message, {
      file: path,
      hint: "give a longer context for the first run, or a drafter that searches for none, such as exit",
    });
  }
  const texts: SelfText[] = [];
  for (const prompt of prompts.filter(({ length }) => length > 0)) {
    const sequence = engine.open();
    try {
      const answer: number[] = [];
      let tokens = prompt;
      while (answer.length < most) {
        const scores = await sequence.forward({ tokens, score: "last", need: "argmax" });
        answer.push(scores.argmax(0));
        if (tokenizer.ends.includes(answer[answer.length - 1])) break;
        sequence.keep(Int32Array.from(tokens, (_, row) => row));
        tokens = Int32Array.of(answer[answer.length - 1]);
      }
      texts.push({ prompt, answer: Int32Array.from(answer) });
    } finally {
      sequence.close();
    }
  }
  return texts;
}
