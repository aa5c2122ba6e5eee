/**
 * `npm run package`: both artefacts side by side, `.artifacts/aws` and `.artifacts/azure`, and kept as a release in
 * `.artifacts/releases/<version>`. TANDEM_VERSION names it; otherwise the commit does. What follows `--aws` or
 * `--azure` goes to that cloud's packaging: `npm run package -- --aws=--param=features.cdn=true`.
 *
 * One after the other: each keeps both cores busy, and AWS's builds in `.esbuild` and `.serverless` on the way.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { keepRelease } from './releases.ts';

const root = path.join(import.meta.dirname, '../..');
const artifacts = path.join(root, '.artifacts');

/** What a packaging leaves, beyond which nothing else may be believed. */
const PACKAGES = [
  {
    cloud: 'aws',
    args: ['package', '-c', 'serverless.aws.yml', '--package', '.artifacts/aws'],
    leaves: ['aws/cloudformation-template-update-stack.json', 'aws/items.zip', 'aws/forward.zip'],
  },
  {
    cloud: 'azure',
    args: ['package', '-c', 'serverless.azure.yml'],
    leaves: ['azure/tandem.zip', 'azure/app/host.json', 'azure/app/package.json', 'azure/app/app.cjs'],
  },
] as const;

function packageVersion(): string {
  const text = fs.readFileSync(path.join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Says when there is more than was committed. */
function commit(): string {
  const { stdout, status } = spawnSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'local';
}

function sizeOf(file: string): string {
  return `${Math.round(fs.statSync(file).size / 1024)} kB`;
}

/** What the packagers are given beside, by cloud. */
export type PackageInput = Readonly<Record<'aws' | 'azure', readonly string[]>>;

/** Returns the exit status. @throws UsageError when TANDEM_VERSION can be no version. */
export function packageBoth(added: PackageInput): number {
  const version = process.env['TANDEM_VERSION'] ?? `${packageVersion()}-${commit()}`;
  if (!/^[0-9A-Za-z][0-9A-Za-z.-]*$/.test(version)) {
    throw new UsageError(`TANDEM_VERSION: '${version}' is not of letters, digits, dots and hyphens`);
  }
  for (const { cloud, args, leaves } of PACKAGES) {
    fs.rmSync(path.join(artifacts, cloud), { recursive: true, force: true });
    const started = performance.now();
    const cli = path.join(root, 'node_modules/serverless/bin/serverless.js');
    const { status } = spawnSync(process.execPath, [cli, ...args, ...added[cloud]], {
      cwd: root,
      env: { ...process.env, TANDEM_VERSION: version },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const missing = leaves.filter((file) => !fs.existsSync(path.join(artifacts, file)));
    if (status !== 0 || missing.length > 0) {
      console.error(`${cloud}: not packaged${missing.length > 0 ? `; missing: ${missing.join(', ')}` : ''}`);
      return 1;
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${cloud}: .artifacts/${cloud} in ${seconds} s`);
    const zips = fs.readdirSync(path.join(artifacts, cloud)).filter((file) => file.endsWith('.zip'));
    for (const zip of zips) console.log(`  ${zip}  ${sizeOf(path.join(artifacts, cloud, zip))}`);
  }
  // As `npm run generate` wrote it: the command has checked that it is of these declarations.
  const schema = fs.readFileSync(path.join(root, 'src/shared/registry/schema.json'), 'utf8');
  keepRelease({ version, madeAt: new Date().toISOString() }, schema);
  console.log(`kept as .artifacts/releases/${version}`);
  return 0;
}
