/**
 * Microsoft's Node worker for Functions, from a checkout that was built (`npm ci && npm run build`). Nothing of it is in
 * this repository, and it is not installed: TANDEM_FUNCTIONS_WORKER says where it is.
 * @see https://github.com/Azure/azure-functions-nodejs-worker
 */
import fs from 'node:fs';
import path from 'node:path';
import { needPackage } from './packages.ts';
import { type Program, Unavailable } from './peer.ts';

const PLACE = 'TANDEM_FUNCTIONS_WORKER';

export const functionsWorker: Program = {
  name: 'Functions worker (the packaged Azure app)',
  suite: 'functions-worker.peer.ts',
  variable: 'TANDEM_PEER_FUNCTIONS_WORKER',

  install() {
    const place = process.env[PLACE];
    if (place === undefined) throw new Unavailable(`set ${PLACE} to a built checkout of it`);
    const folder = path.resolve(place);
    if (!fs.existsSync(path.join(folder, 'dist/src/Worker.js'))) {
      throw new Unavailable(`${PLACE}: ${folder} is not built (npm ci && npm run build there)`);
    }
    needPackage('azure');
    return folder;
  },
};
