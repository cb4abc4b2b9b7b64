// Whole numbers as options take them, refused in our own words where they are too large to be computed with.
import { message } from "@optique/core/message";
import { integer as optiqueInteger, type IntegerOptionsNumber, type ValueParser } from "@optique/core/valueparser";

export function integer(options: IntegerOptionsNumber): ValueParser<"sync", number> {
  const unsafeInteger = (input: string) => message`Expected a whole number that is not so large, but got ${input}.`;
  return optiqueInteger({ ...options, errors: { unsafeInteger } });
}
