/** A copy of the project whose sources a test may change, with a stack that runs from it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { compileCacheOf } from '@tandem-clouds/local/stack/own-stack';
import { FreshClone } from './fresh-clone.ts';
import { removeOwnDeclarations } from './own-declarations.ts';
import { waitUntil } from './wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');

export interface CopiedStack {
  /** Of the copy. */
  readonly dir: string;
  readonly stack: Stack;
  readonly output: () => string;
  /** Replaces a text of a file. @throws Error when it does not have it. */
  edit(file: string, from: string, to: string): void;
  write(file: string, text: string): void;
  stop(): Promise<void>;
}

/** Starts `npm start` in a fresh copy, on free ports and with data in memory; without what its user has declared. */
export async function startCopiedStack(...options: readonly string[]): Promise<CopiedStack> {
  const clone = new FreshClone();
  const { dir } = clone;
  removeOwnDeclarations(dir);
  const cache = { ...compileCacheOf(dir), TANDEM_CACHE_DIR: path.join(ROOT, '.tandem/cache') };
  const child = spawn(
    process.execPath,
    ['scripts/start.js', '--ephemeral', '--port', 'all=0', ...options],
    // What is built once for what is installed need not be built once more.
    { cwd: dir, env: { ...process.env, ...cache } },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
    await clone.remove();
  };
  const stack = await waitUntil('the stack is up', () => {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:\n${text}`);
    return text.includes('Ctrl-C') ? readStack(path.join(dir, '.tandem')) : undefined;
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const write = (file: string, content: string): void => {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    fs.writeFileSync(path.join(dir, file), content);
  };
  return {
    dir,
    stack,
    output: () => text,
    write,
    edit(file, from, to) {
      const content = fs.readFileSync(path.join(dir, file), 'utf8');
      if (!content.includes(from)) throw new Error(`${file} does not have '${from}'`);
      write(file, content.replace(from, to));
    },
    stop,
  };
}
