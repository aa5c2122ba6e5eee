/** A Chromium of this machine: a browser is no package of npm here, because it is larger than all the others together. */
import fs from 'node:fs';
import path from 'node:path';
import { needCommand } from './debian.ts';
import { succeeds, Unavailable } from './peer.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The one that the variable names, or that is in the path. @throws Unavailable with how to get one. */
export function findChromium(variable: string): string {
  const given = process.env[variable];
  const found = [...(given === undefined ? [] : [given]), ...NAMES.flatMap(inPath)].find((file) =>
    succeeds(file, ['--version'], 'ignore'),
  );
  if (found !== undefined) return found;
  throw new Unavailable(
    `there is no Chromium here; install one (Debian: apt-get install chromium), or name one in ${variable}`,
  );
}

/** As `findChromium`; where there is none, and this may be done, Debian's is installed. @throws Unavailable */
export function needChromium(variable: string): string {
  try {
    return findChromium(variable);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    needCommand('chromium', ['--version'], 'chromium');
    return findChromium(variable);
  }
}

function inPath(command: string): string[] {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, command))
    .filter((file) => fs.existsSync(file));
}
