/**
 * What was done with the console, by whom and why: a line of JSON for each action in a file that only its owner may read. A line
 * is written before the action and another one with what became of it, so that one whose answer got lost is there too.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const OWNER_ONLY = 0o600;

export interface Action {
  /** `PUT`, `POST` or `DELETE`. */
  readonly method: string;
  /** Below the console's address, without a query. */
  readonly path: string;
  /** The site that it is done at; absent: the stack. */
  readonly site?: string;
  /** What the person said; empty: nothing. */
  readonly why: string;
}

export class Audit {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns What notes how it ended: an HTTP status, or 0 where there was no answer. @throws when it cannot be written: then nothing is done. */
  begin(action: Action): (status: number) => void {
    const id = `${Date.now().toString(36)}-${process.pid}-${(this.#count += 1)}`;
    fs.mkdirSync(path.dirname(this.#file), { recursive: true });
    this.#write({ id, who: who(), ...action });
    return (status) => {
      try {
        this.#write({ id, status });
      } catch {
        // It has been done, and that it was begun is written.
      }
    };
  }

  #count = 0;

  #write(line: object): void {
    const text = JSON.stringify({ time: new Date().toISOString(), ...line });
    fs.appendFileSync(this.#file, `${text}\n`, { mode: OWNER_ONLY });
  }
}

/** Whose machine it is: the console has no users of its own. */
export function who(): string {
  try {
    return `${os.userInfo().username}@${os.hostname()}`;
  } catch {
    return os.hostname();
  }
}
