/** The command that serves emulators until Ctrl-C: `tandem-emulators` by itself, `emulators` of the project's program. */
import { type Command, command, type CommandContext } from '@tandem-clouds/command-line/command';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { file, flag, folder, many, text } from '@tandem-clouds/command-line/option';
import { suggestion } from '@tandem-clouds/command-line/suggest';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { EmulatorsOptions, PortName, ServiceName } from './options.ts';
import { checkOptions, EmulatorOptionsError, PORT_NAMES, SERVICE_NAMES } from './options.ts';

const PORT_MAX = 65_535;
const VAULTS = ['secretsmanager', 'keyvault'] as const;

const DETAILS = `Services: ${SERVICE_NAMES.join(', ')}. <name> of --port is one of them, servicebus-control, where faults and counts
of Service Bus are, or smtp-web, where the mailbox is. Everything listens on 127.0.0.1 only.`;

interface EmulatorsInput {
  readonly services: string;
  readonly port: readonly string[];
  readonly queue: readonly string[];
  readonly dataDir: string | undefined;
  readonly region: string;
  readonly secretsFile: string | undefined;
}

/** @param name What the command is called where it is declared. */
export function emulatorsCommand(name: string): Command<CommandContext> {
  return command({
    name,
    summary:
      'DynamoDB, SQS, S3, Cosmos DB, Service Bus, Blob Storage, both vaults, Stripe, PayPal, mail and SMS on this machine',
    details: DETAILS,
    options: {
      services: text('which, with commas between', {
        placeholder: 'list',
        default: 'dynamodb,sqs,cosmos,servicebus',
      }),
      port: many(text('where a service listens; without it a free port', { placeholder: 'name>=<n' })),
      queue: many(text('of Service Bus, which exists from the start', { placeholder: 'name' })),
      dataDir: folder('where data is kept; without it in memory', {}),
      region: text('of AWS', { placeholder: 'name', default: 'us-east-1' }),
      secretsFile: file('a .env file whose SECRET_… lines are in the vaults', {}),
      json: flag('one JSON object, when everything listens'),
    },
    examples: [
      { line: `${name} --services dynamodb,sqs`, shows: 'two of them, on free ports' },
      {
        line: `${name} --port dynamodb=8000 --data-dir .data`,
        shows: 'a port that stays, and data that stays',
      },
      {
        line: `${name} --services secretsmanager,keyvault --secrets-file .env`,
        shows: 'vaults that hold what a file says',
      },
      { line: `${name} --services servicebus --queue orders`, shows: 'a queue that is there at once' },
    ],
    check: (input) => void optionsOf(input),
    run: async (input, context: CommandContext) =>
      (await import('./serve.ts')).serve(optionsOf(input), input.json, context),
  });
}

/** @throws UsageError naming every option that is wrong. */
function optionsOf(input: EmulatorsInput): EmulatorsOptions {
  const { services, port, queue, dataDir, region, secretsFile } = input;
  const names = services.split(',').map((name) => serviceOf(name.trim()));
  const options = {
    services: names,
    ports: portsOf(port, names),
    dataDir,
    region,
    ...(secretsFile !== undefined &&
      Object.fromEntries(
        VAULTS.filter((name) => names.includes(name)).map((name) => [name, { secretsFile }]),
      )),
    ...(queue.length > 0 && { servicebus: { queues: Object.fromEntries(queue.map((name) => [name, {}])) } }),
  };
  if (queue.length > 0 && !names.includes('servicebus'))
    throw new UsageError('--queue: --services does not name servicebus');
  if (secretsFile !== undefined && !VAULTS.some((name) => names.includes(name)))
    throw new UsageError(`--secrets-file: --services names none of ${VAULTS.join(', ')}`);
  try {
    checkOptions(options);
  } catch (error) {
    if (!(error instanceof EmulatorOptionsError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
  return options;
}

function serviceOf(name: string): ServiceName {
  const found = SERVICE_NAMES.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UsageError(
    `--services: '${name}' is not one of ${SERVICE_NAMES.join(', ')}${suggestion(name, SERVICE_NAMES)}`,
  );
}

function portsOf(
  given: readonly string[],
  services: readonly ServiceName[],
): Partial<Record<PortName, number>> {
  const ports = new Map<PortName, number>();
  for (const one of given) {
    const [text = '', digits] = one.split(/=(.*)/s);
    const name = PORT_NAMES.find((known) => known === text);
    if (name === undefined) {
      throw new UsageError(
        `--port: '${text}' is not one of ${PORT_NAMES.join(', ')}${suggestion(text, PORT_NAMES)}`,
      );
    }
    if (ports.has(name)) throw new UsageError(`--port ${name} is given twice; give it once`);
    if (!services.some((service) => service === name.replace(/-(control|web)$/, '')))
      throw new UsageError(`--port ${name}: --services does not name it`);
    ports.set(name, readWhole(digits, { name: `--port ${name}`, min: 0, max: PORT_MAX }));
  }
  return Object.fromEntries(ports);
}
