/** DynamoDB Local, AWS's own, from Maven Central, on Java 17. It cannot be bound to one interface. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { needJava, programFromMaven } from './java.ts';
import { PEERS, type Server } from './peer.ts';

const NAME = 'dynamodb-local';
const DYNAMODB_LOCAL = {
  coordinates: 'com.amazonaws:DynamoDBLocal:2.6.1',
  sha256: 'a28d8b4919999b7dee6ffa9fd4e9a08744460657a9bd3e3499e3aad00e1f2cc4',
};

export const dynamoDbLocal: Server = {
  name: 'DynamoDB Local',
  suite: 'dynamodb.peer.ts',
  variable: 'TANDEM_PEER_DYNAMODB',

  prepare() {
    needJava();
    programFromMaven(NAME, DYNAMODB_LOCAL);
  },

  start(port) {
    const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
    const java = ['-Djava.library.path=lib', '-cp', path.join('lib', '*'), main];
    return spawn('java', [...java, '-inMemory', '-disableTelemetry', '-port', String(port)], {
      cwd: path.join(PEERS, NAME),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  },
};
