/**
 * The environment that functions see on this machine.
 *
 * Invariant: all functions of one process share `process.env`, so two of them never disagree about a variable.
 * A TANDEM_* variable that is set outside wins over the service definition: that is how a run points a function
 * at a queue or table that is somewhere else.
 */
import type { LocalResource } from './resource-plan.ts';
import { type CloudFormationValue, type ServiceDefinition, textOf } from './service-model.ts';

export type Environment = Readonly<Record<string, string>>;

interface Resolution {
  readonly resources: ReadonlyMap<string, LocalResource>;
  readonly region: string;
}

/** `Fn::GetAtt: [Queue, Arn]`; the short form in one text is resolved by the YAML reader. */
function attribute(target: CloudFormationValue | undefined, { resources }: Resolution): string {
  const [id, name] = Array.isArray(target) ? (target as readonly CloudFormationValue[]).map(textOf) : [];
  const resource = id === undefined ? undefined : resources.get(id);
  if (resource === undefined || name !== 'Arn')
    throw new Error(`Fn::GetAtt ${JSON.stringify(target)}: unknown here`);
  return resource.arn;
}

function reference(target: CloudFormationValue | undefined, { resources, region }: Resolution): string {
  const id = textOf(target);
  if (id === 'AWS::Region') return region;
  const resource = resources.get(id);
  if (resource === undefined) throw new Error(`Ref ${id}: no such table or queue is created here`);
  return resource.ref;
}

/**
 * The local text of a CloudFormation value: `{ Ref: OutQueue }` is the queue's URL at the emulator.
 * Knows `Ref` and `Fn::GetAtt … Arn`. @throws Error for what has no local meaning.
 */
export function resolveValue(value: CloudFormationValue, resolution: Resolution): string {
  if (typeof value !== 'object' || value === null) return textOf(value);
  const functions = value as Readonly<Record<string, CloudFormationValue | undefined>>;
  if ('Ref' in functions) return reference(functions['Ref'], resolution);
  if ('Fn::GetAtt' in functions) return attribute(functions['Fn::GetAtt'], resolution);
  throw new Error(`${JSON.stringify(value)} has no local meaning in an environment`);
}

/**
 * Replaces every function's environment by plain text and returns the union.
 * @param outside Usually `process.env`.
 * @throws Error naming the variable that has no local value, or on which two functions disagree.
 */
export function localizeEnvironment(
  service: ServiceDefinition,
  resolution: Resolution,
  outside: NodeJS.ProcessEnv,
): Environment {
  const shared: Record<string, string> = {};
  for (const [functionKey, definition] of Object.entries(service.functions)) {
    const environment: Record<string, string> = {};
    const declared = { ...service.provider.environment, ...definition.environment };
    for (const [name, value] of Object.entries(declared)) {
      const override = name.startsWith('TANDEM_') ? outside[name] : undefined;
      // A place for objects is wherever the start of a stack says, or nowhere: none is made here.
      if (override === undefined && isBucket(value, service)) continue;
      const text = override ?? resolveNamed(functionKey, name, value, resolution);
      if ((shared[name] ??= text) !== text) {
        throw new Error(
          `${functionKey}.${name}: another function gives it another value; they share one process`,
        );
      }
      environment[name] = text;
    }
    definition.environment = environment;
  }
  service.provider.environment = {};
  return shared;
}

function isBucket(value: CloudFormationValue, { resources }: ServiceDefinition): boolean {
  if (typeof value !== 'object' || value === null || !('Ref' in value)) return false;
  return resources?.Resources?.[textOf(value['Ref'])]?.Type === 'AWS::S3::Bucket';
}

function resolveNamed(
  functionKey: string,
  name: string,
  value: CloudFormationValue,
  resolution: Resolution,
): string {
  try {
    return resolveValue(value, resolution);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${functionKey}.${name}: ${why}; set it, or AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SQS`,
      {
        cause,
      },
    );
  }
}
