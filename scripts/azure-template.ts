/**
 * `azure-template`: the Azure template with its expressions evaluated, for a checker such as checkov, which cannot
 * evaluate them.
 *
 * checkov -f the-output.json --framework arm --config-file infra/lint/checkov-azure.yml (or checkov-azure-all.yml)
 */
import path from 'node:path';
import type { Output } from '@tandem-clouds/command-line/command';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { composeTemplate } from '../infra/azure/template/compose-template.ts';

/** Returns the exit status. @param features `all`: every one. @throws UsageError for one that is unknown. */
export function printAzureTemplate(
  { features }: { readonly features: readonly string[] },
  { out }: Output,
): number {
  const template = composeTemplate(path.join(import.meta.dirname, '../infra/azure/site.json'));
  const known = Object.entries(template.parameters).flatMap(([name, { type }]) =>
    type === 'bool' ? [name] : [],
  );
  const flags = features.includes('all') ? known : features;
  const unknown = flags.filter((flag) => !known.includes(flag));
  if (unknown.length > 0)
    throw new UsageError(
      `<features>: no feature: ${unknown.join(', ')}; there are: all, ${known.join(', ')}`,
    );

  const given = {
    functionAppName: 'tandem',
    location: 'eastus',
    tags: { app: 'tandem' },
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  };
  const resources = deploy(template, given)
    .filter(({ made }) => made)
    .map(({ type, name, body: { dependsOn: _, condition: _condition, ...body } }) => ({
      ...body,
      type,
      name,
    }));
  const evaluated = {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    resources,
  };
  out(`${JSON.stringify(evaluated, null, 2)}\n`);
  return 0;
}
