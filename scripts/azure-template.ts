/**
 * Prints the Azure template with its expressions evaluated, for a checker such as checkov, which cannot evaluate them:
 *
 *   node scripts/azure-template.ts                   what a deployment makes
 *   node scripts/azure-template.ts network audit     what it makes with these features
 *   node scripts/azure-template.ts all               what it makes with every feature
 *
 * checkov -f the-output.json --framework arm --config-file infra/lint/checkov-azure.yml (or checkov-azure-all.yml)
 */
import path from 'node:path';
import { guardOutput } from './command/run-command.ts';
import { composeTemplate } from './serverless/azure/compose-template.ts';
import { deploy } from './serverless/azure/evaluate-template.ts';

// What cannot be written is a failure of the command.
guardOutput();

const template = composeTemplate(path.join(import.meta.dirname, '../infra/azure/site.json'));
const known = Object.entries(template.parameters).flatMap(([name, { type }]) =>
  type === 'bool' ? [name] : [],
);
const asked = process.argv.slice(2);
const flags = asked.includes('all') ? known : asked;
const unknown = flags.filter((flag) => !known.includes(flag));
if (unknown.length > 0) throw new Error(`no feature: ${unknown.join(', ')}`);

const given = {
  functionAppName: 'tandem',
  location: 'eastus',
  tags: { app: 'tandem' },
  ...Object.fromEntries(flags.map((flag) => [flag, true])),
};
const resources = deploy(template, given)
  .filter(({ made }) => made)
  .map(({ type, name, body: { dependsOn: _, condition: _condition, ...body } }) => ({ ...body, type, name }));
const evaluated = {
  $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  contentVersion: '1.0.0.0',
  resources,
};
process.stdout.write(`${JSON.stringify(evaluated, null, 2)}\n`);
