/**
 * ministack, whose S3 is nobody's of ours, on Python. It listens on all interfaces unless it is told not to.
 * https://pypi.org/project/ministack/
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { PEERS, type Server } from './peer.ts';
import { pythonWith } from './python.ts';

const NAME = 'ministack';

export const ministack: Server = {
  name: 'ministack (S3)',
  suite: 's3-ministack.peer.ts',
  variable: 'TANDEM_PEER_S3_MINISTACK',

  prepare() {
    pythonWith(NAME, ['ministack==1.5.33']);
  },

  start(port) {
    const server = path.join(PEERS, NAME, 'bin', 'ministack');
    const own = { BIND_HOST: '127.0.0.1', MINISTACK_HOST: '127.0.0.1', GATEWAY_PORT: String(port) };
    return spawn(server, [], { stdio: 'ignore', env: { ...process.env, ...own } });
  },
};
