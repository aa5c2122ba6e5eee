/**
 * What a local site is made of, read from the ARM template that makes a real one (infra/azure): the
 * container with its indexes, and the queues with their limits. One source of truth.
 *
 * Invariant: expressions are not evaluated. What is read here is literal in the template, or reading it fails.
 */
import type { ContainerDefinition } from '@azure/cosmos';
import { composeTemplate } from '../../../../infra/azure/template/compose-template.ts';

/** A queue, in the terms of the emulator's control interface. */
export interface QueueDefinition {
  readonly name: string;
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
  readonly defaultTtlMs: number;
  readonly deadLetterOnExpiry: boolean;
  readonly maxSizeInMegabytes: number;
}

export interface SiteTemplate {
  readonly database: string;
  readonly container: ContainerDefinition & { readonly id: string };
  /** Tier of the namespace. */
  readonly tier: string;
  readonly queues: readonly QueueDefinition[];
}

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly resources?: readonly Resource[];
  readonly sku?: { readonly name: string };
}

/** @throws Error naming what is missing or not literal. */
export function readSiteTemplate(file: string): SiteTemplate {
  const template = composeTemplate(file);
  const account = child(template, 'Microsoft.DocumentDB/databaseAccounts');
  const database = child(account, 'sqlDatabases');
  const container = child(database, 'containers');
  const namespace = child(template, 'Microsoft.ServiceBus/namespaces');
  return {
    database: literal(database.name),
    container: container.properties?.['resource'] as SiteTemplate['container'],
    tier: namespace.sku?.name ?? '',
    queues: (namespace.resources ?? []).filter(({ type }) => type === 'queues').map(toQueue),
  };
}

function child(parent: Pick<Resource, 'resources'>, type: string): Resource {
  const found = parent.resources?.find((resource) => resource.type === type);
  if (found === undefined) throw new Error(`template: no resource of type ${type}`);
  return found;
}

function toQueue({ name, properties = {} }: Resource): QueueDefinition {
  return {
    name: literal(name),
    lockDurationMs: parseDuration(String(properties['lockDuration'])),
    maxDeliveryCount: Number(properties['maxDeliveryCount']),
    defaultTtlMs: parseDuration(String(properties['defaultMessageTimeToLive'])),
    deadLetterOnExpiry: properties['deadLetteringOnMessageExpiration'] === true,
    maxSizeInMegabytes: Number(properties['maxSizeInMegabytes']),
  };
}

function literal(name: string): string {
  if (name.startsWith('['))
    throw new Error(`template: ${name} is an expression; the local host wants a literal`);
  return name;
}

/**
 * An ISO 8601 duration in days or smaller units, as milliseconds.
 * @throws SyntaxError for anything else.
 */
export function parseDuration(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (parts === null || /[PT]$/.test(text)) {
    throw new SyntaxError(`'${text}' is not a duration such as PT30S or P14D`);
  }
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = [1, 2, 3, 4].map((i) => Number(parts[i] ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}
