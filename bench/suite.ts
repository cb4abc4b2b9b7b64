// What a benchmark suite is.

/** A suite returns Markdown, and may name the versions that it measured. */
export interface Suite {
  readonly summary: string;
  run(): Promise<{ report: string; versions?: Record<string, string> }>;
}
