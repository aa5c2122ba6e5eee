/** The packaged AWS template, as tests look at it. */
import { awsFeatures, awsParams, awsTemplate } from '../../scripts/lint-infra/aws-template.ts';
import { onceARun } from './once-a-run.ts';

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

/** Packages with these `--param` values. @throws Error with the packager's output when it refuses. */
export async function packaged(
  params: readonly string[],
): Promise<{ resources: Resources; service: Service }> {
  const { template, state } = await onceARun(['awsTemplate', ...params], () => awsTemplate(params));
  return {
    resources: (JSON.parse(template) as { Resources: Resources }).Resources,
    service: (JSON.parse(state) as { service: Service }).service,
  };
}

/** The stack without peers, with them, and with every feature. */
export async function packagedVariants(): Promise<{
  readonly alone: Resources;
  readonly withPeers: Resources;
  readonly withAll: Resources;
  /** Of the one without peers. */
  readonly service: Service;
}> {
  const { resources: alone, service } = await packaged([]);
  const { resources: withPeers } = await packaged(awsParams([]));
  const { resources: withAll } = await packaged(awsParams(awsFeatures));
  return { alone, withPeers, withAll, service };
}

/** The properties of the resources of one type, by logical id. */
export const ofType = (resources: Resources, type: string): [string, Record<string, unknown>][] =>
  Object.entries(resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, Properties ?? {}]);
