// Chat messages to prompt text, by the model's own template.

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatTemplate {
  readonly text: string;
  /** Renders with the generation prompt appended. Throws HunchError("input") where the template fails or runs away. */
  render(messages: readonly ChatMessage[]): string;
}
