/** What both definitions would make with these parameters, as plain resources. */
import path from 'node:path';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { resolveDefinition } from '@tandem-clouds/local/code/resolve-definition';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import type { Resource } from './properties.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const ROLES =
  /^(?:AWS::IAM::(?:Role|ManagedPolicy)|Microsoft\.(?:Authorization|DocumentDB)\/.*ole(?:Assignment|Definition)s)$/;

const FLAG = /^features\.(\w+)=true$/;

type Template = Readonly<
  Record<string, { readonly Type: string; readonly Properties?: Resource['properties'] }>
>;

interface Part {
  readonly Resources?: Template;
}

interface Definition {
  readonly provider: { readonly logRetentionInDays?: number };
  readonly resources: Part | readonly Part[];
  readonly functions: Readonly<Record<string, { readonly name: string }>>;
}

/** @param params As `--param`. @throws Error with the framework's words when one is unknown. */
export async function awsResources(region: string, params: readonly string[]): Promise<readonly Resource[]> {
  const definition = (await resolveDefinition(
    path.join(ROOT, 'serverless.aws.yml'),
    region,
    params,
  )) as Definition;
  const { resources, functions, provider } = definition;
  const parts = [resources].flat() as readonly Part[];
  const declared = parts.flatMap(({ Resources = {} }) =>
    Object.entries(Resources).map(([name, { Type, Properties = {} }]) => ({
      ...{ name, type: Type, properties: Properties },
    })),
  );
  // The packager makes one for each function.
  const logs = Object.values(functions).map(({ name }) => ({
    name: `/aws/lambda/${name}`,
    type: 'AWS::Logs::LogGroup',
    properties: { RetentionInDays: provider.logRetentionInDays },
  }));
  return [...declared, ...logs];
}

/** Flags that this cloud does not know make nothing there. */
export function azureResources(location: string, params: readonly string[]): readonly Resource[] {
  const template = composeTemplate(path.join(ROOT, 'infra/azure/site.json'));
  const flags = params
    .flatMap((param) => FLAG.exec(param)?.[1] ?? [])
    .filter((flag) => template.parameters[flag]?.type === 'bool');
  const given = {
    ...{ functionAppName: 'tandem', location, tags: { app: 'tandem' } },
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  };
  return deploy(template, given)
    .filter(({ made }) => made)
    .map(({ type, name, body }) => ({
      ...{ name, type },
      properties: (body['properties'] ?? {}) as Resource['properties'],
    }));
}

/** Who may do what. */
export function rightsIn(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter(({ type }) => ROLES.test(type));
}
