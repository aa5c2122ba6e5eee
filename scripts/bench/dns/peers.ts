/**
 * Debian's gdnsd and Knot DNS, to compare with: as installed, or fetched with `apt-get download` and unpacked below
 * `.peers/`, which needs no rights. Each gets the same zone and one thread, because ours has one.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ADDRESSES, NAME, ZONE } from './fixture.ts';

export type PeerName = 'gdnsd' | 'knot';

export const PEERS: readonly PeerName[] = ['gdnsd', 'knot'];

/** Debian's packages: the server first, then the libraries that it needs and a small system lacks. */
const PACKAGES: Readonly<Record<PeerName, readonly string[]>> = {
  gdnsd: ['gdnsd', 'libev4', 'liburcu8', 'libmaxminddb0'],
  knot: [
    'knot',
    'libknot13',
    'libdnssec9',
    'libzscanner4',
    'liblmdb0',
    'liburcu8',
    'libxdp1',
    'libfstrm0',
    'libprotobuf-c1',
  ],
};
const PROGRAM: Readonly<Record<PeerName, string>> = { gdnsd: 'gdnsd', knot: 'knotd' };

interface Program {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Finds the program, or fetches it. @throws Error saying why it cannot be had. */
export function findPeer(peer: PeerName, peersDir: string): Program {
  const program = PROGRAM[peer];
  const installed = [`/usr/sbin/${program}`, `/usr/local/sbin/${program}`].find((file) =>
    fs.existsSync(file),
  );
  if (installed !== undefined) return { file: installed, env: process.env };
  const root = path.join(peersDir, 'dns', peer);
  const file = path.join(root, 'usr/sbin', program);
  if (!fs.existsSync(file)) fetchPackages(PACKAGES[peer], root);
  const libraries = fs
    .readdirSync(path.join(root, 'usr/lib'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(root, 'usr/lib', entry.name));
  return { file, env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') } };
}

function fetchPackages(packages: readonly string[], root: string): void {
  fs.mkdirSync(root, { recursive: true });
  execFileSync('apt-get', ['download', '-qq', ...packages], { cwd: root, stdio: 'pipe' });
  for (const file of fs.readdirSync(root).filter((name) => name.endsWith('.deb'))) {
    execFileSync('dpkg', ['-x', file, '.'], { cwd: root, stdio: 'pipe' });
  }
}

/** Starts a peer in a folder of its own; the caller waits until it answers. */
export function startPeer(peer: PeerName, program: Program, dir: string, port: number): ChildProcess {
  fs.mkdirSync(path.join(dir, 'zones'), { recursive: true });
  fs.writeFileSync(path.join(dir, 'zones', ZONE), zoneText(peer));
  const file = path.join(dir, peer === 'knot' ? 'knot.conf' : 'config');
  fs.writeFileSync(file, peer === 'knot' ? knotConfig(dir, port) : gdnsdConfig(dir, port));
  const args = peer === 'knot' ? ['-c', file] : ['-c', dir, 'start'];
  return spawn(program.file, args, { env: program.env, stdio: ['ignore', 'ignore', 'pipe'] });
}

function zoneText(peer: PeerName): string {
  const answers =
    peer === 'gdnsd' ? ['api 10 DYNA weighted!api'] : ADDRESSES.map((address) => `api 10 A ${address}`);
  return [
    `$ORIGIN ${ZONE}.`,
    '@ 3600 SOA ns hostmaster 1 3600 600 604800 10',
    '@ 3600 NS ns',
    'ns 3600 A 127.0.0.1',
    ...answers,
    '',
  ].join('\n');
}

function gdnsdConfig(dir: string, port: number): string {
  const weights = ADDRESSES.map((address, index) => `s${index} => [ ${address}, 1 ]`).join(', ');
  return `options => {
  listen => 127.0.0.1:${port}, udp_threads => 1, tcp_threads => 1,
  run_dir => ${dir}/run, state_dir => ${dir}/state
}
plugins => { weighted => { service_types => up, multi => false, api => { ${weights} } } }
`;
}

function knotConfig(dir: string, port: number): string {
  return `server:
  listen: 127.0.0.1@${port}
  rundir: ${dir}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${dir}
zone:
  - domain: ${ZONE}
    storage: ${dir}/zones
    file: ${ZONE}
    zonefile-sync: -1
    journal-content: none
# ${NAME}
`;
}
