/**
 * Splits the output of a process into lines and remembers the last of them, for when it dies. Reports of ordinary
 * requests are not remembered: they would push out what explains the death. Of a crash report of the bundler, which is
 * written in Go, the first line is; the stacks of its threads are in the log only.
 */
import { StringDecoder } from 'node:string_decoder';

const LINES_MAX = 12;
/** A longer line is cut: a stack dump in one line must not fill the memory. */
const LINE_CHARS_MAX = 8_192;

/** Log lines of level debug and info, and what serverless-offline writes about each request. */
const ROUTINE = /^\{.*"level":"(debug|info)"|\(λ: [\w-]+\)/;

/** https://pkg.go.dev/runtime: `goroutine 1 [running]:`, `main.main()`, a tab and the place, registers. */
const GO_STACK =
  /^\t|^goroutine \d+ .*:$|^(created by )?[\w./-]+\.[\w.()*[\]·-]+(\(.*\)| in goroutine \d+)$|^(r[a-z0-9]{1,5}|[cfg]s) +0x|^PC=0x/;

export function isGoStack(line: string): boolean {
  return GO_STACK.test(line);
}

export class LastLines {
  readonly #onLine: (line: string) => void;
  #lines: string[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** A writer for one stream: two streams of a process must not be joined within a line. */
  stream(): { write(chunk: Uint8Array): void; end(): void } {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    return {
      write: (chunk) => {
        const parts = (rest + decoder.write(Buffer.from(chunk))).split('\n');
        rest = (parts.pop() ?? '').slice(0, LINE_CHARS_MAX);
        for (const line of parts) this.#add(line);
      },
      end: () => {
        if (rest !== '') this.#add(rest);
        rest = '';
      },
    };
  }

  #add(text: string): void {
    const line = text.slice(0, LINE_CHARS_MAX).trimEnd();
    if (line === '') return;
    if (!ROUTINE.test(line) && !isGoStack(line)) this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
    this.#onLine(line);
  }
}
