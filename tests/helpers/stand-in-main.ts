/** Runs one stand-in until it is killed: `stand-in-main.ts <sqs|dynamodb> <dataDir>` prints its endpoint when ready. */
import type { StandIn } from '../../scripts/local/stand-in.ts';

const [kind = '', dataDir = ''] = process.argv.slice(2);

async function start(): Promise<StandIn> {
  switch (kind) {
    case 'sqs':
      return await (await import('../../scripts/local/sqs/server.ts')).startSqs({ dataDir });
    case 'dynamodb':
      return await (await import('../../scripts/local/dynamodb/server.ts')).startDynamo({ dataDir });
    default:
      throw new Error('usage: stand-in-main.ts <sqs|dynamodb> <dataDir>');
  }
}

process.stdout.write(`${(await start()).endpoint}\n`);
