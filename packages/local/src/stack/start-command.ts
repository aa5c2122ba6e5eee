/** The command `start`, which `npm start` runs too. */
import { command, type CommandContext } from '@tandem-clouds/command-line/command';
import { choice, file, flag, folder, many, text, url } from '@tandem-clouds/command-line/option';
import { PAYMENT_PROVIDERS } from '../processes/payments-settings.ts';
import { LOG_LEVELS, stackOptionsOf, TYPE_CHECKS } from './options.ts';
import { DEFAULT_SITES } from './sites.ts';

const PORTS_NOTE = `<name>=<n> of --port: edge, dns, dns.control, payments.stripe, payments.paypal, mail.smtp, mail.web, mail.sns,
mail.communication-services, traces, console, issuer, <site> or <site>.<service>,
where <service> is dynamodb, sqs, secrets-manager, s3, cosmos, service-bus, service-bus-control, key-vault or blob, with
--inspect also inspect or bridge-inspect; 0 picks a free port; all=0 for all of them.

Default ports: edge 8080, DNS 5353 and its control interface 5380, sandboxes of Stripe 12111 and PayPal 12112, mail 1025 and its
mailbox 8025, SMS by SNS 9911 and by Communication Services 9912, traces 4318, console 4400, issuer 9400, AWS
3000, Azure 7071, DynamoDB 8000, SQS 9324, Secrets Manager 8200, S3 9000, Cosmos DB 8081, Service Bus 5672 and its control
interface 5300, Key Vault 8300, Blob Storage 10000; one higher for each further site of a cloud.`;

export const start = command({
  name: 'start',
  summary: 'both clouds, the bridge between them, an edge and a DNS server on this machine',
  details: PORTS_NOTE,
  options: {
    sites: text('two to six of aws-<region>, azure-<region>', {
      placeholder: 'list',
      default: DEFAULT_SITES,
    }),
    port: many(text('where something listens', { placeholder: 'name>=<n' })),
    dir: folder('where data, logs and stack.json live', { default: '.tandem' }),
    ephemeral: flag('keep data in memory only'),
    protected: flag('ask for a token on every route of records, and run an issuer that gives them'),
    seed: flag('write the samples of every entity, and some items, when ready; what exists stays'),
    logLevel: choice('of the functions', LOG_LEVELS, { default: 'info' }),
    verbose: flag('show everything that the processes write'),
    inspect: flag('an inspector for the functions of each cloud and for its bridge, on free ports'),
    types: choice('report type errors of what is changed while it runs', TYPE_CHECKS, { default: 'on' }),
    backup: flag('each site keeps an archive in the storage of the other cloud'),
    payments: choice('whose sandbox the sites take payments at', PAYMENT_PROVIDERS, { default: 'stripe' }),
    collector: url(
      'where the sites send traces, metrics and logs by OTLP, in place of the one of the stack',
      {},
    ),
    drill: file(
      'for chaos: links and clocks that it controls, see packages/local/src/stack/drill-file.ts',
      {},
    ),
  },
  examples: [
    { line: 'start --ephemeral --seed', shows: 'with sample data, which is gone afterwards' },
    { line: 'start --port all=0', shows: 'on free ports; the other commands find them' },
    { line: 'start --payments paypal', shows: 'with the sandbox of PayPal in place of Stripe’s' },
    { line: 'start --collector http://127.0.0.1:14318', shows: 'with a collector of yours' },
    { line: 'start --sites aws-us-east-1,aws-eu-west-1,azure-eastus', shows: 'three sites' },
  ],
  check: (input) => void stackOptionsOf(input),
  run: async (input, context: CommandContext) => {
    const { runStart } = await import('./run-start.ts');
    return runStart(stackOptionsOf(input), context);
  },
});
