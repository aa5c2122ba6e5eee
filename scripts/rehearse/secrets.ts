/**
 * Credentials that a rehearsal plants, and the search for them where no credential may ever be: in packages, logs, caches
 * of the commands, and lists of processes.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { filesIn } from '@tandem-clouds/local/zip';

/** Unlike anything else that a file may hold. */
export const plant = (name: string): string => `planted-${name}-${randomBytes(12).toString('hex')}`;

/** Every file below the folder, archives unpacked, that holds one of the secrets. Links are not followed. */
export function filesWith(secrets: readonly string[], folder: string): string[] {
  const holds = (content: Buffer): boolean => secrets.some((secret) => content.includes(secret));
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesWith(secrets, file);
    if (!entry.isFile()) return [];
    const content = fs.readFileSync(file);
    const inside = file.endsWith('.zip') ? [...filesIn(content)] : [];
    return [
      ...(holds(content) ? [file] : []),
      ...inside.flatMap(([name, part]) => (holds(part) ? [`${file}: ${name}`] : [])),
    ];
  });
}

/** Command lines of this machine's processes that hold one of the secrets; none where there is no /proc. */
export function processesWith(secrets: readonly string[]): string[] {
  if (!fs.existsSync('/proc/self/cmdline')) return [];
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf)
    .filter((line) => secrets.some((secret) => line.includes(secret)));
}

/** Empty for a process that has ended meanwhile. */
function commandLineOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
