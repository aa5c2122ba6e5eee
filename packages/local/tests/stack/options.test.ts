import { describe, expect, test } from '@jest/globals';
import { readInput } from '@tandem-clouds/command-line/parse';
import { HERE } from '@tandem-clouds/command-line/place';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { type StackOptions, stackOptionsOf } from '../../src/stack/options.ts';
import { start } from '../../src/stack/start-command.ts';

function parsed(...args: string[]): StackOptions {
  return stackOptionsOf(readInput(start, args, HERE) as unknown as Parameters<typeof stackOptionsOf>[0]);
}

describe('the command line of npm start', () => {
  test('without arguments: one site of each cloud at the well-known ports, data on disk', () => {
    const { sites, ports, ...rest } = parsed();
    expect(sites.map(({ site }) => site)).toEqual(['aws-us-east-1', 'azure-eastus']);
    expect(Object.fromEntries(ports)).toEqual({
      edge: 8080,
      dns: 5353,
      'dns.control': 5380,
      'mail.smtp': 1025,
      'mail.web': 8025,
      'mail.sns': 9911,
      'mail.communication-services': 9912,
      traces: 4318,
      console: 4400,
      'payments.stripe': 12_111,
      'payments.paypal': 12_112,
      'aws-us-east-1': 3000,
      'aws-us-east-1.dynamodb': 8000,
      'aws-us-east-1.sqs': 9324,
      'aws-us-east-1.secrets-manager': 8200,
      'aws-us-east-1.s3': 9000,
      'azure-eastus': 7071,
      'azure-eastus.cosmos': 8081,
      'azure-eastus.service-bus': 5672,
      'azure-eastus.service-bus-control': 5300,
      'azure-eastus.key-vault': 8300,
      'azure-eastus.blob': 10_000,
    });
    expect(rest).toEqual({
      dir: '.tandem',
      ephemeral: false,
      seed: false,
      logLevel: 'info',
      verbose: false,
      backup: false,
      inspect: false,
      types: 'on',
      payments: 'stripe',
    });
    expect(parsed('--payments', 'paypal').payments).toBe('paypal');
    expect(() => parsed('--payments', 'cash')).toThrow(UsageError);
  });

  test('an issuer, and a port for it, is there when records are to be protected', () => {
    expect(parsed('--protected').ports.get('issuer')).toBe(9400);
    expect(parsed('--protected', '--port', 'issuer=0').ports.get('issuer')).toBe(0);
    expect(() => parsed('--port', 'issuer=9401')).toThrow(/no part is called 'issuer'/);
  });

  test('further sites of a cloud are one port higher', () => {
    const { ports } = parsed('--sites', 'aws-us-east-1,aws-eu-west-1,azure-eastus,azure-westeurope');
    expect(ports.get('aws-eu-west-1')).toBe(3001);
    expect(ports.get('aws-eu-west-1.sqs')).toBe(9325);
    expect(ports.get('azure-westeurope')).toBe(7072);
    expect(ports.get('azure-westeurope.service-bus-control')).toBe(5301);
  });

  test('a port by name wins over all=0, in any order', () => {
    const { ports } = parsed('--port', 'edge=9090', '--port', 'all=0', '--port', 'aws-us-east-1.sqs=9400');
    expect(ports.get('edge')).toBe(9090);
    expect(ports.get('aws-us-east-1.sqs')).toBe(9400);
    expect([...ports.values()].filter((port) => port === 0)).toHaveLength(20);
  });

  test.each([
    ['an unknown option', ['--sitess', 'x'], /--sitess/],
    ['an argument that is no option', ['aws'], /aws/],
    ['an option without its value', ['--dir'], /--dir/],
    ['an empty folder', ['--dir', ''], /--dir/],
    ['a cloud that is unknown', ['--sites', 'gcp-us-east1,azure-eastus'], /--sites: 'gcp-us-east1'/],
    ['a site in upper case', ['--sites', 'aws-US,azure-eastus'], /--sites: 'aws-US'/],
    ['a site named twice', ['--sites', 'aws-a,aws-a'], /--sites: 'aws-a' is named twice/],
    ['a single site', ['--sites', 'aws-us-east-1'], /--sites: 1 named/],
    ['seven sites', ['--sites', 'aws-a,aws-b,aws-c,aws-d,azure-a,azure-b,azure-c'], /--sites: 7 named/],
    ['a port without a number', ['--port', 'edge'], /--port: 'edge'/],
    ['a port that is too high', ['--port', 'edge=65536'], /--port: 'edge=65536'/],
    ['a port of nobody', ['--port', 'screen=1'], /--port: .*no part is called 'screen'/],
    ['the same number for all', ['--port', 'all=9000'], /--port: 'all=9000'/],
    ['one port for two', ['--port', 'edge=3000'], /--port: 3000 is wanted by both edge and aws-us-east-1/],
    ['an unknown log level', ['--log-level', 'loud'], /--log-level: 'loud'/],
    ['a drill that cannot be read', ['--drill', '/nowhere.json'], /--drill: \/nowhere.json cannot be read/],
  ])('%s is refused with a message that names it', (_title, args, message) => {
    expect(() => parsed(...args)).toThrow(UsageError);
    expect(() => parsed(...args)).toThrow(message);
  });
});
