/** azurite, Microsoft's own emulator of storage, from npm. Its service of blobs only, in memory. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { npmPackage } from './npm.ts';
import type { Server } from './peer.ts';

const MAIN = 'dist/src/blob/main.js';

const folder = (): string => npmPackage('azurite', { version: '3.37.0', built: MAIN });

export const azurite: Server = {
  name: 'azurite (Blob Storage)',
  suite: 'blob.peer.ts',
  variable: 'TANDEM_PEER_BLOB',

  prepare() {
    folder();
  },

  start(port) {
    // It refuses versions of the service that are newer than itself, and the SDK's is.
    const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'];
    const listen = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
    return spawn(process.execPath, [path.join(folder(), MAIN), ...options, ...listen], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  },
};
