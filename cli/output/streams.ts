// stdin, stdout for text, stderr for everything else. The latter two are written synchronously: what was made is out at once, in order,
// and a reader that went away is noticed at the very write that found it gone.
import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Nobody reads our output any more. Not a failure: the command ends quietly. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

const codeOf = (error: unknown) => (error as { code?: string } | null)?.code;

export class Stream {
  readonly terminal: boolean;

  constructor(readonly descriptor: number, private readonly onClosed: "throw" | "ignore") {
    this.terminal = isatty(descriptor);
  }

  /** Writes all of `text`. Throws ClosedPipe where the reader is gone and this stream must be read. */
  write(text: string): void {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(this.descriptor, bytes));
      } catch (error) {
        const code = codeOf(error);
        if (code === "EAGAIN" || code === "EINTR") pause(); // someone else made the pipe non-blocking, and it is full
        else if (this.onClosed === "ignore") return;
        else if (isClosed(code)) throw new ClosedPipe("the reader of stdout is gone");
        else throw error;
      }
    }
  }

  line(text = ""): void {
    this.write(text + "\n");
  }

  /** Columns of the terminal, 20 or more; where there is none or it does not say, those of $COLUMNS, else 80. */
  get columns(): number {
    const known = this.terminal ? Number(terminalOf(this.descriptor).columns) : 0;
    const columns = known > 0 ? known : Number(process.env.COLUMNS);
    return columns > 0 ? Math.max(20, Math.floor(columns)) : 80;
  }

  /** Rows of the terminal; 24 where there is none or it does not say. */
  get rows(): number {
    const rows = this.terminal ? Number(terminalOf(this.descriptor).rows) : 0;
    return rows >= 2 ? rows : 24;
  }
}

function isClosed(code: string | undefined): boolean {
  return code === "EPIPE" || code === "ECONNRESET" || code === "ESHUTDOWN" || code === "EOF" || code === "EBADF";
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

function terminalOf(descriptor: number): { readonly columns?: number; readonly rows?: number } {
  return descriptor === 1 ? process.stdout : process.stderr;
}

export const stdout: Stream = new Stream(1, "throw");
export const stderr: Stream = new Stream(2, "ignore");

export const stdin = {
  /** Whether there may be something to read: a pipe, a socket or a file, neither a terminal nor nothing. */
  hasText(): boolean {
    if (isatty(0)) return false;
    try {
      const about = fstatSync(0);
      return about.isFIFO() || about.isSocket() || about.isFile();
    } catch {
      return false; // closed
    }
  },

  /** What comes, as it comes. */
  chunks(): AsyncIterable<Uint8Array | string> {
    return process.stdin;
  },
};

/** Says, in one line on stderr, what is wrong but stops nothing. */
export function warn(text: string): void {
  stderr.line(`hunch: ${text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ")}`);
}
