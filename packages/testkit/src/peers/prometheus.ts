/**
 * Prometheus, and promtool, which knows what it takes: Debian's. No server: its suite starts it over a stack of its own.
 * https://prometheus.io/docs/prometheus/latest/command-line/promtool/
 */
import fs from 'node:fs';
import path from 'node:path';
import { unpackPackage } from './debian.ts';
import { PEERS, type Program, Unavailable } from './peer.ts';

const NAME = 'prometheus';
const PROGRAMS = ['prometheus', 'promtool'];

export const prometheus: Program = {
  name: 'Prometheus (rules, text, queries)',
  suite: 'prometheus.peer.ts',
  variable: 'TANDEM_PEER_PROMETHEUS',

  /** Returns the folder that has both programs. */
  install() {
    const installed = (process.env['PATH'] ?? '').split(path.delimiter).find(hasBoth);
    if (installed !== undefined) return installed;
    const own = path.join(PEERS, NAME, 'usr/bin');
    if (!hasBoth(own)) unpackPackage(NAME, path.join(PEERS, NAME));
    if (!hasBoth(own))
      throw new Unavailable(`Debian's package ${NAME} does not have ${PROGRAMS.join(' and ')}`);
    return own;
  },
};

function hasBoth(folder: string): boolean {
  return PROGRAMS.every((program) => fs.existsSync(path.join(folder, program)));
}
