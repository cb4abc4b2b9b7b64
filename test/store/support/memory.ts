// What is said of texts by looking at every place.
export interface Found {
  readonly length: number;
  /** What follows each place. */
  readonly after: readonly (readonly number[])[];
}

/** The same as `Corpus.find` says, slowly. */
export function slowly(texts: readonly (readonly number[])[], query: readonly number[], most: number): Found {
  for (let length = Math.min(most, query.length); length > 0; length--) {
    const end = query.slice(query.length - length);
    const after = texts.flatMap((text) =>
      text.flatMap((_, at) => {
        const matches = at + 1 >= length && end.every((token, i) => text[at + 1 - length + i] === token);
        return matches ? [text.slice(at + 1)] : [];
      })
    );
    if (after.length > 0) return { length, after };
  }
  return { length: 0, after: [] };
}
