// A model on ONNX Runtime: one session, one set of buffers for the results, any number of sequences.
import type { Capabilities, Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import { tracing } from "../../src/trace.ts";
import { passLine } from "../trace.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { Lease } from "../lease.ts";
import { type Calibration, MeasuredCosts, WIDTHS } from "../measured-costs.ts";
import type { AttentionFeeds, Cache, PlacedRows } from "./attention/attention.ts";
import { BLOCK } from "./attention/blocks.ts";
import { BlockFeeds } from "./attention/blocks-feeds.ts";
import { GroupedFeeds } from "./attention/grouped-feeds.ts";
import { Pass } from "./pass.ts";
import { OnnxScores } from "./results.ts";
import { OnnxRules } from "./rules.ts";
import { RULES } from "./rules/table.ts";
import type { Runtime, Session } from "./runtime.ts";
import { OnnxSequence } from "./sequence.ts";

/** Widest pass of operators that take any. Wider ones gain nothing on processors and would only hold memory for their scores. */
const MAX_ROWS = 128;

/** With --strict a lone row is computed as two: they cost the same. */
const STRICT_WIDTHS = WIDTHS.slice(1);
/** How much a pass that took longer or shorter than its calibration says about the passes to come. */
const DRIFT = 0.05;

export interface Loaded {
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly provider: string;
  readonly context: number;
  readonly strict: boolean;
  readonly runtime: Runtime;
  /** A session of the plain graph, or of the one that passes can look inside of. */
  readonly open: (inside: boolean) => Session;
  /** Whether its graphs attend in blocks of positions. Only then there is one to look inside of. */
  readonly blocks: boolean;
}

export class OnnxEngine implements Engine {
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;
  readonly #loaded: Loaded;
  readonly #costs: MeasuredCosts;
  readonly #lease = new Lease();
  readonly #attention: AttentionFeeds;
  #session: Session;
  #pass: Pass;
  #inside = false;
  readonly #rules: OnnxRules;
  /** What passes take now over what they took when they were measured: texts grow and machines get busy. */
  #drift = 1;

  constructor(loaded: Loaded, calibration: Calibration) {
    const { source, format, provider, context, strict, runtime } = loaded;
    this.name = `onnx:${provider}`;
    this.source = source;
    this.format = format;
    this.context = context;
    this.maxRows = loaded.blocks ? BLOCK : MAX_ROWS; // a pass then meets one border at most
    this.#loaded = loaded;
    this.#costs = new MeasuredCosts(calibration);
    const { spec } = source;
    // Rows of a tree may stand in the cache past the context that their positions stay within.
    this.#attention = loaded.blocks
      ? new BlockFeeds(runtime, spec, context)
      : new GroupedFeeds(runtime, spec, context + MAX_ROWS + 2);
    this.#session = loaded.open(false);
    this.#pass = this.#newPass();
    this.#rules = new OnnxRules(runtime, source.spec.vocab);
    this.can = {
      tree: true,
      exact: strict && provider === "cpu" && loaded.blocks ? "trees" : "none",
      deviceRules: [...RULES.keys()],
      ...loaded.blocks && { taps: true, skip: true },
      embeddings: true,
      rewind: "truncate",
    };
  }

  open(): Sequence {
    this.begin();
    return new OnnxSequence(this, this.#attention.newCache());
  }

  cost(width: number): number {
    return this.#costs.of(width) * this.#drift;
  }

  plainCost(format: WeightFormat): number {
    return this.#costs.plain(format) * this.#drift;
  }

  calibrate(): Promise<void> {
    return this.#costs.calibrate(this, this.#loaded.strict ? STRICT_WIDTHS : WIDTHS);
  }

  close(): void {
    if (!this.#lease.close()) return;
    this.#pass.close();
    this.#attention.close();
    this.#rules.close();
    this.#session.close();
  }

  begin(): void {
    this.#lease.renew();
  }

  async pass(cache: Cache, rows: Rows, placed: PlacedRows): Promise<Scores> {
    if (!this.#inside && looksInside(rows)) this.#lookInside();
    const start = performance.now();
    const results = this.#pass.run(cache, rows, placed, this.#loaded.strict);
    this.#observe(rows, performance.now() - start);
    const scored = rows.score === "last" ? 1 : rows.tokens.length;
    const check = this.#lease.lend();
    const scores = new OnnxScores(scored, this.source.spec.vocab, rows.temperature ?? 1, results, check, this.#rules);
    if (rows.verify) scores.verify(rows.verify);
    tracing()?.(passLine(this, rows, placed.past, performance.now() - start));
    return scores;
  }

  /** Puts the graph that passes can look inside of in the place of the plain one: both would hold the weights. */
  #lookInside(): void {
    this.#pass.close();
    this.#session.close();
    try {
      this.#session = this.#loaded.open(true);
      this.#inside = true;
    } catch (error) {
      this.#session = this.#loaded.open(false);
      throw error;
    } finally {
      this.#pass = this.#newPass();
    }
  }

  #newPass(): Pass {
    const { runtime, source, format } = this.#loaded;
    return new Pass(runtime, this.#session, source, format, this.#attention, this.#inside);
  }

  #observe(rows: Rows, ms: number): void {
    const measured = this.#costs.of(rows.tokens.length);
    if (rows.score === "last" || rows.skip || Number.isNaN(measured)) return;
    this.#drift *= (ms / (measured * this.#drift)) ** DRIFT;
  }
}

function looksInside({ taps = [], skip }: Rows): boolean {
  return taps.length > 0 || (skip !== undefined && skip.attention.length + skip.feedForward.length > 0);
}
