/**
 * What several test files need, made once in a run of `npm test`: kept in a folder that ends with the run, so that it never
 * stands for sources of another time. Two files that need it at the same time may both make it.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** @param key All that it depends on, but for the sources. @param make Its result, as JSON; what it throws is kept nowhere. */
export async function onceARun<T>(key: readonly string[], make: () => Promise<T>): Promise<T> {
  const kept = keptOfRun(key);
  if (kept !== undefined) return kept as T;
  const made = await make();
  const file = fileOf(key);
  if (file === undefined) return made;
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, JSON.stringify(made));
  fs.renameSync(own, file);
  return made;
}

/** What has been made with this key; undefined when nothing has been yet. */
export function keptOfRun(key: readonly string[]): unknown {
  const file = fileOf(key);
  if (file === undefined || !fs.existsSync(file)) return undefined;
  return JSON.parse(fs.readFileSync(file, 'utf8')) as unknown;
}

/** Undefined where jest runs by itself: nobody would remove what is kept. */
function fileOf(key: readonly string[]): string | undefined {
  const folder = process.env['TANDEM_TEST_SHARED'];
  if (folder === undefined) return undefined;
  return path.join(folder, createHash('sha256').update(JSON.stringify(key)).digest('hex'));
}
