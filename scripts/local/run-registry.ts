/**
 * Where the processes of one local stack say that they are up: one small file per process in `TANDEM_RUN_DIR`.
 * The supervisor merges them into `.tandem/stack.json`; a process that nobody supervises announces nothing.
 */
import fs from 'node:fs';
import path from 'node:path';

export interface RunEntry {
  /** Process name, unique in the stack: `aws-us-east-1`, `aws-us-east-1.bridge`, `edge`. */
  readonly name: string;
  readonly pid: number;
  /** Every address that it listens on, by purpose: `{ "http": "http://127.0.0.1:3000" }`. */
  readonly urls: Readonly<Record<string, string>>;
}

/** Tells the supervisor that this process is ready to serve. Call it last, once everything listens. */
export function announce(name: string, urls: Readonly<Record<string, string>> = {}): void {
  const dir = process.env['TANDEM_RUN_DIR'];
  if (dir === undefined) return;
  const entry: RunEntry = { name, pid: process.pid, urls };
  const file = path.join(dir, `${name}.json`);
  fs.writeFileSync(`${file}.next`, JSON.stringify(entry));
  fs.renameSync(`${file}.next`, file);
}

/** What has been announced so far, by name. */
export function announced(dir: string): RunEntry[] {
  return fs
    .readdirSync(dir)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(fs.readFileSync(path.join(dir, file), 'utf8')) as RunEntry);
}
