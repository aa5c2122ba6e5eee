/**
 * One process per data folder: a lock file that holds the process id of its owner.
 *
 * Invariant: at most one living process believes that it owns the folder. A lock left by a process that died is taken
 * over, so a killed emulator starts again without help.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FileWriteError } from './files.ts';
import { isAlive } from './is-alive.ts';

const FILE = 'owner.pid';
/** Folders locked by this process: a recycled process id must not make a stale lock look like ours. */
const held = new Set<string>();

/**
 * Takes the folder for this process and returns the function that gives it back.
 * @throws Error naming the owner's process id when another living process has it.
 * @throws FileWriteError when the lock cannot be written.
 */
export function lockDataDir(dataDir: string): () => void {
  fs.mkdirSync(dataDir, { recursive: true });
  const folder = fs.realpathSync(dataDir);
  const file = path.join(folder, FILE);
  if (held.has(folder)) throw inUse(folder, process.pid, file);
  if (!tryCreate(file)) {
    const owner = Number(fs.readFileSync(file, 'utf8'));
    if (owner !== process.pid && isAlive(owner)) throw inUse(folder, owner, file);
    fs.rmSync(file, { force: true });
    if (!tryCreate(file)) throw inUse(folder, Number(fs.readFileSync(file, 'utf8')), file);
  }
  held.add(folder);
  return () => {
    if (held.delete(folder)) fs.rmSync(file, { force: true });
  };
}

function tryCreate(file: string): boolean {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new FileWriteError(file, error);
  }
}

function inUse(folder: string, pid: number, file: string): Error {
  return new Error(
    `${folder} is in use by process ${pid}; stop it, or remove ${file} if that process is something else`,
  );
}
