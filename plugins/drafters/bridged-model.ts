// A draft model of another vocabulary behind a bridge: what `slrs` and `omnidraft` share. Not a drafter of its own.
import type { Engine } from "../../src/backend.ts";
import { type Bridge, BridgedProposer, type Reach } from "../../src/draft/bridged.ts";
import { RetokenizedText } from "../../src/draft/retokenized.ts";
import { sharedTokens } from "../../src/draft/vocabulary.ts";
import { ModelProposer } from "./model.ts";

/**
 * `rows` of `reach` is one at most where the draft's engine runs no trees. `bridge` is given what `sharedTokens` finds.
 * Closes `draft` with itself.
 */
export function bridgedModel(
  target: Engine,
  draft: Engine,
  { rows, least }: Reach,
  bridge: (shared: Int32Array) => Bridge,
): BridgedProposer {
  const shared = sharedTokens(target.source, draft.source);
  return new BridgedProposer(
    target.source.spec.vocab,
    new ModelProposer(draft, target),
    new RetokenizedText(target.source.tokenizer, draft.source.tokenizer, shared),
    bridge(shared),
    { rows: draft.can.tree ? rows : Math.min(rows, 1), least },
  );
}
