// What hunch chat can be told.
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import { flag, negatableFlag } from "@optique/core/primitives";
import type { InferValue } from "@optique/core/parser";
import {
  methodOptions,
  modelOptions,
  outputOptions,
  samplingOptions,
  systemOption,
  templateOptions,
} from "../options.ts";

const keepingOptions = object("Conversation", {
  resume: withDefault(flag("--continue", { description: message`Go on with the last conversation.` }), false),
  history: withDefault(
    negatableFlag({ positive: "--history", negative: "--no-history" }, {
      description: message`Keep what is typed and the last conversation, for you alone. Default: keep them.`,
    }),
    true,
  ),
  forget: withDefault(
    flag("--forget", { description: message`Remove what was kept of conversations, and do nothing else.` }),
    false,
  ),
});

export const chatOptions = merge(
  keepingOptions,
  systemOption,
  templateOptions,
  samplingOptions,
  methodOptions,
  modelOptions,
  outputOptions,
);

export type ChatCommand = InferValue<typeof chatOptions>;
