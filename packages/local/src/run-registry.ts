/**
 * Where the processes of one local stack say that they are up: one small file per process in `TANDEM_RUN_DIR`.
 * The supervisor merges them into `.tandem/stack.json`; a process that nobody supervises announces nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import { replaceFile } from '@tandem-clouds/emulators/core/files';

export interface RunEntry {
  /** Process name, unique in the stack: `aws-us-east-1`, `aws-us-east-1.bridge`, `edge`. */
  readonly name: string;
  readonly pid: number;
  /** Every address that it listens on, by purpose: `{ "http": "http://127.0.0.1:3000" }`. */
  readonly urls: Readonly<Record<string, string>>;
}

/**
 * Tells the supervisor that this process is ready to serve. Call it last, once everything listens.
 * @throws FileWriteError A process that cannot be found does not serve: it should end.
 */
export function announce(name: string, urls: Readonly<Record<string, string>> = {}): void {
  const dir = process.env['TANDEM_RUN_DIR'];
  if (dir === undefined) return;
  const entry: RunEntry = { name, pid: process.pid, urls };
  replaceFile(path.join(dir, `${name}.json`), JSON.stringify(entry));
}

/** What has been announced so far, by name. What cannot be read is not announced. */
export function announced(dir: string): RunEntry[] {
  return fs
    .readdirSync(dir)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readEntry(path.join(dir, file)));
}

function readEntry(file: string): RunEntry[] {
  try {
    return [JSON.parse(fs.readFileSync(file, 'utf8')) as RunEntry];
  } catch {
    return [];
  }
}
