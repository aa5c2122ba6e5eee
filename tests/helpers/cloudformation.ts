/** The packaged AWS template, as tests look at it. */
import {
  awsFeatures,
  awsParams,
  awsTemplate,
  awsTemplates,
  type Packaged,
} from '../../scripts/lint-infra/aws-template.ts';
import { keptOfRun, onceARun } from './once-a-run.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
}
export type Resources = Record<string, Resource>;

export interface Policy {
  readonly PolicyDocument: { readonly Statement: Statement[] };
}
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** What of the resolved definition is no part of the template. */
export interface Service {
  readonly custom: { readonly features: Record<string, string> };
  readonly provider: { readonly stackTags: Record<string, string> };
}

export interface Stack {
  readonly resources: Resources;
  readonly service: Service;
}

const keyOf = (params: readonly string[]): string[] => ['awsTemplate', ...params];

function stackOf({ template, state }: Packaged): Stack {
  return {
    resources: (JSON.parse(template) as { Resources: Resources }).Resources,
    service: (JSON.parse(state) as { service: Service }).service,
  };
}

/** Packages with these `--param` values. @throws Error with the packager's output when it refuses. */
export async function packaged(params: readonly string[]): Promise<Stack> {
  return stackOf(await onceARun(keyOf(params), () => awsTemplate(params)));
}

/**
 * Packages with each of these sets of `--param` values, at the cost of little more than one. @returns In their order; an Error
 * with the packager's output for one that it refuses.
 */
export async function packagedEach(sets: readonly (readonly string[])[]): Promise<(Stack | Error)[]> {
  const kept = sets.map((params) => keptOfRun(keyOf(params)) as Packaged | undefined);
  const missing = sets.filter((_, index) => kept[index] === undefined);
  const made = missing.length === 0 ? [] : await awsTemplates(missing);
  return Promise.all(
    sets.map(async (params, index) => {
      const one = kept[index] ?? made[missing.indexOf(params)] ?? new Error('it was not packaged');
      return one instanceof Error ? one : stackOf(await onceARun(keyOf(params), () => Promise.resolve(one)));
    }),
  );
}

/** The stack without peers, with them, and with every feature. */
export async function packagedVariants(): Promise<{
  readonly alone: Resources;
  readonly withPeers: Resources;
  readonly withAll: Resources;
  /** Of the one without peers. */
  readonly service: Service;
}> {
  const [alone, withPeers, withAll] = await packagedEach([[], awsParams([]), awsParams(awsFeatures)]);
  return {
    alone: made(alone).resources,
    withPeers: made(withPeers).resources,
    withAll: made(withAll).resources,
    service: made(alone).service,
  };
}

/** @throws Error that it is, or that there is none. */
export function made(result: Stack | Error | undefined): Stack {
  if (result === undefined || result instanceof Error) throw result ?? new Error('it was not packaged');
  return result;
}

/** The properties of the resources of one type, by logical id, as CloudFormation reads them. */
export const ofType = (resources: Resources, type: string): [string, Record<string, unknown>][] =>
  Object.entries(resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, withoutNoValue(Properties ?? {}) as Record<string, unknown>]);

/** An element that is `AWS::NoValue` is left out: the right to SMS of a site that sends none. */
function withoutNoValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !isNoValue(each)).map(withoutNoValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutNoValue(each)]));
}

function isNoValue(value: unknown): boolean {
  return (value as { readonly Ref?: unknown } | null)?.Ref === 'AWS::NoValue';
}
