// The system prompt that a chat template puts in where it is given none.
import type { ChatTemplate } from "../../src/model/chat/chat.ts";

/** Words that no template has, so that the places where they end up are theirs. */
const SYSTEM = "hunch-system-prompt";
const USER = "hunch-user-text";

/**
 * `variables` are what the template is told. Undefined where the template has none of its own, or says it in another form than one it is given.
 */
export function ownSystem(chat: ChatTemplate, variables: Readonly<Record<string, unknown>> = {}): string | undefined {
  const user = { role: "user", content: USER } as const;
  let given: string;
  let own: string;
  try {
    given = chat.render([{ role: "system", content: SYSTEM }, user], variables).text;
    own = chat.render([user], variables).text;
  } catch {
    return undefined; // a template that takes no system prompt
  }
  const [before, behind] = given.split(SYSTEM);
  const [between, rest] = behind?.split(USER) ?? [];
  const [opening] = own.split(USER);
  if (rest === undefined || opening.length < before.length + between.length) return undefined;
  if (!opening.startsWith(before) || !opening.endsWith(between)) return undefined;
  return opening.slice(before.length, opening.length - between.length) || undefined;
}
