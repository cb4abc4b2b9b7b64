// What passes take, as a program reads it and as people do.
import type { WeightFormat } from "../../../src/weight-format.ts";
import { median, type Quartiles, quartiles, ratios } from "../statistics.ts";
import { percent, quartilesText } from "../words.ts";
import type { NodeTime } from "./nodes.ts";
import type { Turns } from "./turns.ts";

/** Bytes of weights that are read in a second, and the share of what the machine reads. */
export interface Reading {
  readonly bytesPerSecond: number;
  readonly ofMachine?: number;
}

/** Milliseconds: the median of the turns, its quartiles, and each turn's. */
export interface Times extends Quartiles {
  readonly ms: readonly number[];
}

/** One weight format's. */
export interface FormatTimes {
  readonly format: WeightFormat;
  /** Of the weights that a pass reads, where the backend tells. */
  readonly weightBytes?: number;
  readonly plain: Times & { readonly reading?: Reading };
  readonly passes: readonly (Times & {
    readonly rows: number;
    /** Median over turns of the time over that of one row in the same turn. */
    readonly overOneRow: number;
  })[];
}

/** What it means to read `bytes` in `ms`. `bandwidth`: bytes per second that the machine reads, where that was measured. */
export function readingOf(bytes: number, ms: number, bandwidth: number | undefined): Reading {
  const bytesPerSecond = 1000 * bytes / ms;
  return { bytesPerSecond, ...bandwidth === undefined ? {} : { ofMachine: bytesPerSecond / bandwidth } };
}

/** `widths` begin with 1. */
export function formatTimes(
  format: WeightFormat,
  { plain, passes }: Turns,
  widths: readonly number[],
  weightBytes: number | undefined,
  bandwidth: number | undefined,
): FormatTimes {
  const times = (ms: readonly number[]): Times => ({ ...quartiles(ms), ms });
  const own = times(plain);
  return {
    format,
    weightBytes,
    plain: {
      ...own,
      ...weightBytes === undefined ? {} : { reading: readingOf(weightBytes, own.median, bandwidth) },
    },
    passes: widths.map((rows, i) => ({
      rows,
      ...times(passes[i]),
      overOneRow: median(ratios(passes[i], passes[0])),
    })),
  };
}

/** `8.3` GB/s and `55%`, as two cells; empty where that is not known. */
export function readingCells(reading: Reading | undefined): [gigabytes: string, share: string] {
  if (reading === undefined) return ["", ""];
  const { bytesPerSecond, ofMachine } = reading;
  return [(bytesPerSecond / 1e9).toFixed(1), ofMachine === undefined ? "" : percent(ofMachine)];
}

/** Cells of a table, its head first. */
export function timesTable(all: readonly FormatTimes[]): string[][] {
  const rows = all.flatMap(({ format, plain, passes }) => [
    [format, "plain token", quartilesText(plain), "", ...readingCells(plain.reading)],
    ...passes.map(({ rows, overOneRow, ...ms }) => ["", String(rows), quartilesText(ms), `${overOneRow.toFixed(2)}×`]),
  ]);
  return [["format", "rows", "ms", "over 1 row", "GB/s", "of machine"], ...rows];
}

/** Kinds of nodes that get a line of their own. */
const DEAREST = 16;
/** Bytes of weights from which on reading them takes time. */
const LEAST = 1e5;

/** All nodes of a pass in one weight format. */
export interface FormatNodes {
  readonly format: WeightFormat;
  readonly rows: number;
  readonly nodes: readonly NodeTime[];
}

/** Cells of a table, its head first: every operator by the width of its outputs, and what it reads of weights. */
export function nodesTable({ format, rows, nodes }: FormatNodes, bandwidth: number | undefined): string[][] {
  const sum = (of: readonly NodeTime[], what: "count" | "ms" | "bytes") =>
    of.reduce((total, node) => total + node[what], 0);
  const all = sum(nodes, "ms");
  const line = (name: string, of: readonly NodeTime[]) => {
    const [count, ms, bytes] = [sum(of, "count"), sum(of, "ms"), sum(of, "bytes")];
    const told = bytes < LEAST ? [] : [(bytes / 1e6).toFixed(1), ...readingCells(readingOf(bytes, ms, bandwidth))];
    return [name, String(count), ms.toFixed(3), percent(ms / all, 1), ...told];
  };
  const others = nodes.slice(DEAREST);
  return [
    [`${format}, ${rows} ${rows === 1 ? "row" : "rows"}`, "nodes", "ms", "share", "MB", "GB/s", "of machine"],
    ...nodes.slice(0, DEAREST).map((node) => line(`${node.operator} → ${node.columns ?? "?"}`, [node])),
    ...others.length > 0 ? [line("all others", others)] : [],
    line("all", nodes),
  ];
}
