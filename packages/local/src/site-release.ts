/**
 * Which artefact a site of a local stack serves. Without one it serves the sources as they are; with one, what
 * `npm run package` made, as it would be deployed.
 *
 * Invariant: the file is replaced as a whole and read when the functions start, so a site serves one release or the
 * other. It lies with the announcements of the run: a stack begins with the sources.
 */
import fs from 'node:fs';
import path from 'node:path';
import { unzip } from './zip.ts';

function fileOf(runDir: string, site: string): string {
  return path.join(runDir, `${site}.release`);
}

/**
 * From the next start of its functions on.
 * @param artefact Folder of the cloud's packages; undefined: the sources.
 */
export function setRelease(runDir: string, site: string, artefact: string | undefined): void {
  const file = fileOf(runDir, site);
  if (artefact === undefined) {
    fs.rmSync(file, { force: true });
    return;
  }
  fs.writeFileSync(`${file}.next`, artefact);
  fs.renameSync(`${file}.next`, file);
}

/** The folder of the artefact that the site of this process shall serve; undefined: the sources. */
export function releaseToServe(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { TANDEM_RUN_DIR: runDir, TANDEM_SITE: site } = env;
  if (runDir === undefined || site === undefined) return undefined;
  const file = fileOf(runDir, site);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/**
 * Says of peers what the release knows that this process serves: one that is older refuses what came since, and whoever goes
 * back to it in the cloud leaves that out of `peers` (docs/deploy.md).
 */
export function nameAsReleased(env: NodeJS.ProcessEnv = process.env): void {
  const artefact = releaseToServe(env);
  const { TANDEM_PEERS: peers } = env;
  if (artefact === undefined || peers === undefined || mentions(artefact, 'objectsBucket')) return;
  const known = (JSON.parse(peers) as readonly object[]).map((peer) =>
    Object.fromEntries(Object.entries(peer).filter(([name]) => !name.startsWith('objects'))),
  );
  env['TANDEM_PEERS'] = JSON.stringify(known);
}

function mentions(artefact: string, text: string): boolean {
  const packages = fs.readdirSync(artefact).filter((name) => name.endsWith('.zip'));
  return packages.some((name) =>
    [...unzip(path.join(artefact, name))].some(([, content]) => content.includes(text)),
  );
}

/** Puts the content of every package where the bundles of a build would be, and nothing else is then there. */
export function placeArtefact(artefact: string, buildDir: string): void {
  const packages = fs.readdirSync(artefact).filter((name) => name.endsWith('.zip'));
  if (packages.length === 0) throw new Error(`${artefact} holds no package`);
  fs.rmSync(buildDir, { recursive: true, force: true });
  for (const name of packages) {
    for (const [file, content] of unzip(path.join(artefact, name))) {
      const target = path.join(buildDir, file);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.writeFileSync(target, content);
    }
  }
}

/**
 * The functions that an artefact has, of those that today's definition declares: an older release has its own definition in
 * the cloud, and none that came since.
 * @param buildDir Where the artefact was placed.
 */
export function functionsOf<Declared extends { readonly handler: string }>(
  buildDir: string,
  functions: Readonly<Record<string, Declared>>,
): Record<string, Declared> {
  const has = ({ handler }: Declared): boolean =>
    fs.existsSync(path.join(buildDir, `${handler.slice(0, handler.lastIndexOf('.'))}.cjs`));
  return Object.fromEntries(Object.entries(functions).filter(([, declared]) => has(declared)));
}
