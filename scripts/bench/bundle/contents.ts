/** What is in a bundle, from esbuild's metafile: bytes by package, and whether the wrong cloud's SDK is among them. */
import type { Metafile } from 'esbuild';
import type { CloudName } from '../service-bundles.ts';

/** The packages of a vendor's SDK, by the start of their names. */
const SDK: Readonly<Record<CloudName, readonly string[]>> = {
  aws: ['@aws-sdk/', '@aws/', '@aws-crypto/', '@smithy/'],
  azure: ['@azure/', '@azure-rest/', '@typespec/ts-http-runtime', 'rhea'],
};

/** They send to the other cloud's queues, so they hold both SDKs. */
const SPEAK_TO_BOTH: ReadonlySet<string> = new Set([
  'forward',
  'operations',
  'sweep',
  'verify',
  'verify-hourly',
]);

/** Bytes that each package contributed after minification; our own sources are `(ours)`. Largest first. */
export function bytesByPackage(output: Metafile['outputs'][string]): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
    const name = packageOf(file);
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  return new Map([...bytes].filter(([, size]) => size > 0).sort(([, a], [, b]) => b - a));
}

/** The package that a file belongs to: the innermost, as packages nest. */
export function packageOf(file: string): string {
  const inner = file.split('node_modules/').at(-1);
  if (inner === undefined || inner === file) return '(ours)';
  const [first = '', second = ''] = inner.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** The packages of the other cloud's SDK in a bundle that has no business with that cloud. */
export function foreignPackages(
  cloud: CloudName,
  bundle: string,
  packages: ReadonlyMap<string, number>,
): readonly string[] {
  if (SPEAK_TO_BOTH.has(bundle)) return [];
  const foreign = SDK[cloud === 'aws' ? 'azure' : 'aws'];
  return [...packages.keys()].filter((name) => foreign.some((start) => name.startsWith(start)));
}
