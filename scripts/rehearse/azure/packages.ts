/** What the deployment service learns of a package of ours. */
import type { PackageReader } from '@tandem-clouds/emulators/azure-control-plane/publishing';
import { filesIn } from '@tandem-clouds/local/zip';

export const OUR_PACKAGES: PackageReader = { unpack: filesIn, functionsIn: registeredBy };

/** Names of the registrations as the bundle spells them: to run it takes the app's settings. */
function registeredBy(files: ReadonlyMap<string, Buffer>): string[] {
  const bundle = files.get('app.cjs')?.toString('utf8') ?? '';
  return [...bundle.matchAll(/\.generic\("([\w-]+)",\{trigger:/g)].map(([, name = '']) => name);
}
