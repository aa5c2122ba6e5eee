/** Runs one emulator until it is killed: `emulator-main.ts <sqs|dynamodb|s3> <dataDir>` prints its endpoint when ready. */
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';

const [kind = '', dataDir = ''] = process.argv.slice(2);

async function start(): Promise<Emulator> {
  switch (kind) {
    case 'sqs':
      return await (await import('@tandem-clouds/emulators/sqs/server')).startSqs({ dataDir });
    case 'dynamodb':
      return await (await import('@tandem-clouds/emulators/dynamodb/server')).startDynamo({ dataDir });
    case 's3':
      return await (await import('@tandem-clouds/emulators/s3/server')).startS3({ dataDir });
    default:
      throw new Error('usage: emulator-main.ts <sqs|dynamodb|s3> <dataDir>');
  }
}

process.stdout.write(`${(await start()).endpoint}\n`);
