/** moto, whose Route 53 and S3 are nobody's of ours, on Python. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { PEERS, type Server } from './peer.ts';
import { pythonWith } from './python.ts';

const NAME = 'moto';

function motoFor(service: string, place: Pick<Server, 'suite' | 'variable'>): Server {
  return {
    ...place,
    name: `moto (${service})`,

    prepare() {
      pythonWith(NAME, ['moto[server]==5.2.5']);
    },

    start(port) {
      const server = path.join(PEERS, NAME, 'bin', 'moto_server');
      return spawn(server, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    },
  };
}

export const moto = motoFor('Route 53', { suite: 'route53.peer.ts', variable: 'TANDEM_PEER_ROUTE53' });
export const motoS3 = motoFor('S3', { suite: 's3-moto.peer.ts', variable: 'TANDEM_PEER_S3_MOTO' });
