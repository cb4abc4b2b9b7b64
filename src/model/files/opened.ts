// A ModelSource over open files, the same for every format.
import { BoundedTokenizer } from "../tokenizers/bounded.ts";
import type { Description } from "../spec/architecture.ts";
import { chatFromTemplate, type ChatTemplate } from "../chat/chat.ts";
import { HunchError } from "../../errors.ts";
import { contentHash } from "./hash.ts";
import type { BinaryFile } from "./reader.ts";
import type { ConvertedWeights, ModelSource, SourceTexts } from "../source.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { ModelSpec } from "../spec/spec.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { typedAsText } from "../tokenizers/typed-as-text.ts";

/** Is told, in one line, what is wrong with a model that can be used all the same. */
export type Warn = (text: string) => void;

/** The text of a chat template, and the file it came from. */
export interface TemplateFile {
  readonly text: string;
  readonly file: string;
}

export interface OpenedParts {
  readonly path: string;
  readonly format: string;
  readonly title: string;
  readonly description: Description;
  /** Open files, closed with the source. */
  readonly files: readonly BinaryFile[];
  /** Further files whose content makes the model what it is. */
  readonly besides?: readonly string[];
  readonly size: number;
  readonly tokenizer: (warn: Warn) => Tokenizer;
  readonly chat: () => ChatTemplate | undefined;
  /** Spelling of the special tokens, as TemplateContext has them. */
  readonly specials: () => Readonly<Record<string, string>>;
  readonly texts: SourceTexts;
  readonly converted?: ConvertedWeights;
}

export class OpenedModel implements ModelSource {
  readonly path: string;
  readonly format: string;
  readonly title: string;
  readonly spec: ModelSpec;
  readonly names: readonly string[];
  readonly size: number;
  readonly texts: SourceTexts;
  readonly converted: ConvertedWeights | undefined;
  /** Metadata keys or fields of config.json that may mean something and were not read. */
  readonly ignored: readonly string[];
  /** Told when tokenizer or template are first asked for. */
  warn: Warn = () => {};
  #tokenizer: Tokenizer | undefined;
  #chat: { readonly template: ChatTemplate | undefined } | undefined;

  constructor(private readonly parts: OpenedParts) {
    this.path = parts.path;
    this.format = parts.format;
    // Names come from strangers and go to terminals.
    this.title = parts.title.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, 200);
    this.spec = parts.description.spec;
    this.names = [...parts.description.tensors.keys()];
    this.size = parts.size;
    this.texts = parts.texts;
    this.converted = parts.converted;
    this.ignored = parts.description.ignored;
  }

  /** Built at first use. Throws HunchError("input") where the file has none, or one that is not supported. */
  get tokenizer(): Tokenizer {
    if (this.#tokenizer) return this.#tokenizer;
    const own = this.parts.tokenizer((text) => this.warn(text));
    return this.#tokenizer = own.vocab > this.spec.vocab ? new BoundedTokenizer(own, this.spec.vocab, this.path) : own;
  }

  get chat(): ChatTemplate | undefined {
    if (this.#chat) return this.#chat.template;
    const template = this.parts.chat();
    this.#chat = { template };
    if (template) this.#warnOfText(template.text);
    return template;
  }

  #warnOfText(template: string): void {
    let names: readonly string[];
    try {
      names = typedAsText(template, this.tokenizer);
    } catch (error) {
      if (error instanceof HunchError) return; // there is no tokenizer, and whoever needs one is told
      throw error;
    }
    if (names.length === 0) return;
    const shown = names.map((name) => JSON.stringify(name)).join(", ");
    const message =
      `the chat template writes tokens that the file types as normal text, so that they are cut: ${shown}`;
    this.warn(`${message} (${this.path}); answers will be worse: convert the model again`);
  }

  /** The same model with another chat template. This one is not to be used any more. */
  withTemplate({ text, file }: TemplateFile): OpenedModel {
    const chat = () => chatFromTemplate(text, { specials: this.parts.specials() }, file);
    return new OpenedModel({ ...this.parts, chat });
  }

  has(name: string): boolean {
    return this.parts.description.tensors.has(name);
  }

  tensor(name: string): Tensor {
    const tensor = this.parts.description.tensors.get(name);
    if (tensor) return tensor;
    throw new HunchError("input", "the model lacks a tensor", {
      file: this.path,
      field: name,
      hint: "the file is incomplete",
    });
  }

  hash(cacheDir: string, progress?: (fraction: number) => void): Promise<string> {
    const paths = [...this.parts.files.map((file) => file.path), ...this.parts.besides ?? []];
    return contentHash(paths, cacheDir, progress);
  }

  close(): void {
    for (const file of this.parts.files) file.close();
  }
}
