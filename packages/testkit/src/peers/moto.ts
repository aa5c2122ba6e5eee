/** moto, whose Route 53 is nobody's of ours, on Python. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { PEERS, type Server } from './peer.ts';
import { pythonWith } from './python.ts';

const NAME = 'moto';

export const moto: Server = {
  name: 'moto (Route 53)',
  suite: 'route53.peer.ts',
  variable: 'TANDEM_PEER_ROUTE53',

  prepare() {
    pythonWith(NAME, ['moto[server]==5.2.5']);
  },

  start(port) {
    const server = path.join(PEERS, NAME, 'bin', 'moto_server');
    return spawn(server, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  },
};
