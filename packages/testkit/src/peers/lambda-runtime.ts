/**
 * AWS's own runtime of Lambda for Node.js: the runtime interface client, which loads a handler and calls it, and the
 * runtime interface emulator, which gives it events, ends it at its time-out and starts it again.
 * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 * @see https://github.com/aws/aws-lambda-runtime-interface-emulator
 */
import { goProgram } from './go.ts';
import { npmPackage } from './npm.ts';
import { needPackage } from './packages.ts';
import type { Program } from './peer.ts';

/** Of the Node.js 24 runtime. */
const CLIENT_VERSION = '4.0.2';
const EMULATOR = {
  main: 'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie',
  version: 'v0.0.0-20261030222936-bef5c4ba774d',
};

export const lambdaRuntime: Program = {
  name: 'Lambda runtime (the packaged AWS functions)',
  suite: 'lambda-runtime.peer.ts',
  variable: 'TANDEM_PEER_LAMBDA_RUNTIME',

  install() {
    needPackage('aws');
    const client = npmPackage('aws-lambda-ric', { version: CLIENT_VERSION, built: 'rapid-client.node' });
    const emulator = goProgram('aws-lambda-rie', EMULATOR);
    return JSON.stringify({ client: `${client}/index.mjs`, emulator });
  },
};
