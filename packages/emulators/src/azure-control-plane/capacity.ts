/**
 * What is changed of a site while it runs: always-ready instances of an app on Flex Consumption, and the throughput of a
 * container of Cosmos DB.
 * @see https://learn.microsoft.com/rest/api/appservice/web-apps/update
 * @see https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/sql-resources/update-sql-container-throughput
 */
import type { DeployedResource } from './evaluate-template.ts';
import { armError, type Response } from './http.ts';

/** https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#always-ready-instances */
const GROUPS = /^(http|blob|durable|function:.+)$/;
/** https://learn.microsoft.com/azure/cosmos-db/concepts-limits#autoscale-provisioned-throughput-limits */
const STEP = 1_000;
const TIMES_MAX = 10;
/** Looks until a change of throughput has been made. */
const LOOKS = 2;

export interface Throughput {
  max: number;
  /** The highest that there ever was: the maximum cannot be less than a tenth of it. */
  highest: number;
  /** Of a change that is under way. */
  pending?: { readonly to: number; looksLeft: number };
}

interface Properties {
  readonly functionAppConfig?: {
    readonly runtime?: unknown;
    readonly deployment?: unknown;
    readonly scaleAndConcurrency?: {
      readonly alwaysReady?: readonly { readonly name?: unknown; readonly instanceCount?: unknown }[];
      readonly maximumInstanceCount?: number;
    };
  };
}

export function propertiesOf({ body }: DeployedResource): Readonly<Record<string, unknown>> {
  return (body['properties'] ?? {}) as Readonly<Record<string, unknown>>;
}

/** With what a patch says in place of what was there: of `functionAppConfig` the whole. */
export function patchedSite(site: DeployedResource, sent: unknown): DeployedResource | Response {
  const { functionAppConfig: config } = ((sent as { properties?: unknown }).properties ?? {}) as Properties;
  if (config === undefined)
    return armError(400, 'BadRequest', 'the emulator patches functionAppConfig alone');
  if (propertiesOf(site)['functionAppConfig'] === undefined)
    return armError(
      400,
      'BadRequest',
      'Site.FunctionAppConfig is invalid: the plan is not Flex Consumption.',
    );
  if (config.runtime === undefined || config.deployment === undefined)
    return armError(
      400,
      'BadRequest',
      'Site.FunctionAppConfig is invalid: runtime and deployment are needed.',
    );
  const { alwaysReady = [], maximumInstanceCount = 100 } = config.scaleAndConcurrency ?? {};
  const isWrong = alwaysReady.some(
    ({ name, instanceCount }) =>
      typeof name !== 'string' ||
      !GROUPS.test(name) ||
      !Number.isInteger(instanceCount) ||
      Number(instanceCount) < 0,
  );
  const sum = alwaysReady.reduce((total, { instanceCount }) => total + Number(instanceCount), 0);
  if (isWrong || sum > maximumInstanceCount) {
    const message = 'Site.FunctionAppConfig.ScaleAndConcurrency.AlwaysReady is invalid.';
    return armError(400, 'BadRequest', message);
  }
  const properties = { ...propertiesOf(site), functionAppConfig: config };
  return { ...site, body: { ...site.body, properties } };
}

export function isServerless(account: DeployedResource): boolean {
  const capabilities = (propertiesOf(account)['capabilities'] ?? []) as readonly { name: string }[];
  return capabilities.some(({ name }) => name === 'EnableServerless');
}

/** A look, after which a change under way may have been made. */
export function throughputReply(one: Throughput, mostAllowed: number): Response {
  const { pending } = one;
  if (pending !== undefined) {
    pending.looksLeft -= 1;
    if (pending.looksLeft < 0) {
      one.max = pending.to;
      one.highest = Math.max(one.highest, pending.to);
      delete one.pending;
    }
  }
  const resource = {
    autoscaleSettings: {
      maxThroughput: one.max,
      ...(one.pending && { targetMaxThroughput: one.pending.to }),
    },
    minimumThroughput: String(lowest(one)),
    offerReplacePending: String(one.pending !== undefined),
    softAllowedMaximumThroughput: String(mostAllowed),
  };
  return { status: 200, body: { properties: { resource } } };
}

export function putThroughput(one: Throughput, sent: unknown, mostAllowed: number): Response {
  const { properties } = sent as {
    properties?: { resource?: { throughput?: unknown; autoscaleSettings?: { maxThroughput?: unknown } } };
  };
  const { throughput, autoscaleSettings } = properties?.resource ?? {};
  const to = autoscaleSettings?.maxThroughput;
  if (throughput !== undefined || typeof to !== 'number')
    return armError(
      400,
      'BadRequest',
      'Either throughput is required or autoscaleSettings is required, but not both.',
    );
  if (one.pending !== undefined)
    return armError(409, 'Conflict', 'There is already an operation in progress for this resource.');
  if (to % STEP !== 0 || to < lowest(one) || to > mostAllowed) {
    const message = `The offer should have valid throughput values between ${lowest(one)} and ${mostAllowed} inclusive in increments of ${STEP}.`;
    return armError(400, 'BadRequest', message);
  }
  one.pending = { to, looksLeft: LOOKS };
  return { status: 202, body: { status: 'Enqueued' } };
}

function lowest({ highest }: Throughput): number {
  return Math.max(STEP, Math.ceil(highest / TIMES_MAX / STEP) * STEP);
}
