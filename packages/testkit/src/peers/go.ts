/** Programs of Go modules, built in `.peers/` from the module proxy that Go is configured for. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { needCommand } from './debian.ts';
import { PEERS, Unavailable } from './peer.ts';

export interface GoProgram {
  /** Import path of its main package, whose last part is its name. */
  readonly main: string;
  /** A version of its module, which Go's checksum database holds to its content. */
  readonly version: string;
}

/** Builds it when it is not there. Returns its file. @throws Unavailable without Go, its module, or a build. */
export function goProgram(folder: string, { main, version }: GoProgram): string {
  const bin = path.join(PEERS, folder, version);
  const file = path.join(bin, path.basename(main));
  if (fs.existsSync(file)) return file;
  needCommand('go', ['version'], 'golang-go');
  console.log(`installing ${main}@${version} into .peers/`);
  // Go makes its cache of modules read-only unless it is asked not to.
  const env = { ...process.env, GOBIN: bin, GOPATH: path.join(PEERS, 'go'), GOFLAGS: '-modcacherw' };
  const { status } = spawnSync('go', ['install', `${main}@${version}`], { env, stdio: 'inherit' });
  if (status !== 0 || !fs.existsSync(file)) throw new Unavailable(`${main} could not be built`);
  return file;
}
