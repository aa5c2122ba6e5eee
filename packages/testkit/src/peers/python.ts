/** Python packages in a virtual environment of `.peers/`, at exactly the versions that are asked for. */
import fs from 'node:fs';
import path from 'node:path';
import { PEERS, succeeds, Unavailable } from './peer.ts';

/**
 * Installs what is not installed yet, from the index that pip is configured for. Returns the environment's `bin` folder.
 * @param requirements such as `moto[server]==5.2.5`
 * @throws Unavailable without Python, its venv module, or the packages
 */
export function pythonWith(name: string, requirements: readonly string[]): string {
  const root = path.join(PEERS, name);
  const bin = path.join(root, 'bin');
  // Written last, so that an installation that was cut short is made again.
  const done = path.join(root, 'installed');
  const wanted = requirements.join('\n');
  if (fs.existsSync(done) && fs.readFileSync(done, 'utf8') === wanted) return bin;
  fs.rmSync(root, { recursive: true, force: true });
  if (!succeeds('python3', ['--version'], 'ignore'))
    throw new Unavailable('there is no python3 on this machine');
  if (!succeeds('python3', ['-m', 'venv', root], 'ignore')) {
    throw new Unavailable('python3 cannot make a virtual environment here (the venv module is missing)');
  }
  console.log(`installing ${requirements.join(' ')} into .peers/`);
  const options = ['install', '--quiet', '--disable-pip-version-check', ...requirements];
  if (!succeeds(path.join(bin, 'pip'), options, 'inherit')) {
    throw new Unavailable(`${requirements.join(' ')} could not be installed`);
  }
  fs.writeFileSync(done, wanted);
  return bin;
}
