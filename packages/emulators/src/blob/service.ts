/**
 * The account: its properties (CORS, recovery of what was deleted), and keys that are delegated to users.
 * @see https://learn.microsoft.com/rest/api/storageservices/set-blob-service-properties
 * @see https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key
 */
import { type Element, parseXml } from '../core/xml.ts';
import { delegatedKeyValue } from './account.ts';
import type { Call } from './call.ts';
import { BlobError } from './errors.ts';
import { DELEGATED_KEY_MS_MAX } from './limits.ts';
import type { CorsRule, ServiceProperties } from './model.ts';
import { xmlTextIn } from './receive.ts';
import type { Reply, Work } from './work.ts';
import { DECLARATION, element } from './xml.ts';

const CORS_RULES_MAX = 5;
const RETENTION_DAYS_MAX = 365;
const METHODS = new Set(['DELETE', 'GET', 'HEAD', 'MERGE', 'PATCH', 'POST', 'OPTIONS', 'PUT']);

export function getService({ store }: Work): Reply {
  const { cors, deleteRetentionDays, defaultVersion } = store.service;
  const off = element('RetentionPolicy', {}, [element('Enabled', false)]);
  const days = element('Days', deleteRetentionDays);
  const body = element('StorageServiceProperties', {}, [
    element('Logging', {}, [
      element('Version', '1.0'),
      element('Read', false),
      element('Write', false),
      element('Delete', false),
      off,
    ]),
    element('HourMetrics', {}, [element('Version', '1.0'), element('Enabled', false), off]),
    element('MinuteMetrics', {}, [element('Version', '1.0'), element('Enabled', false), off]),
    element('Cors', {}, cors.map(corsElement)),
    element('DefaultServiceVersion', defaultVersion),
    element('DeleteRetentionPolicy', {}, [element('Enabled', deleteRetentionDays !== undefined), days]),
    element('StaticWebsite', {}, [element('Enabled', false)]),
  ]);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: DECLARATION + body };
}

function corsElement(rule: CorsRule): string {
  return element('CorsRule', {}, [
    element('AllowedOrigins', rule.origins.join(',')),
    element('AllowedMethods', rule.methods.join(',')),
    element('AllowedHeaders', rule.allowedHeaders.join(',')),
    element('ExposedHeaders', rule.exposedHeaders.join(',')),
    element('MaxAgeInSeconds', rule.maxAgeSeconds),
  ]);
}

/** What is left out stays. */
export async function setService({ call, store }: Work): Promise<Reply> {
  const root = await documentOf(call, 'StorageServiceProperties');
  const cors = child(root, 'Cors');
  const retention = child(root, 'DeleteRetentionPolicy');
  const properties: ServiceProperties = {
    cors: cors === undefined ? store.service.cors : cors.children.map(corsRule),
    deleteRetentionDays:
      retention === undefined ? store.service.deleteRetentionDays : retentionDays(retention),
    defaultVersion: childText(root, 'DefaultServiceVersion') ?? store.service.defaultVersion,
  };
  if (properties.cors.length > CORS_RULES_MAX) throw new BlobError('InvalidXmlDocument');
  store.commit([{ do: 'service', properties }]);
  return { status: 202 };
}

/** @throws BlobError */
function corsRule(rule: Element): CorsRule {
  const list = (name: string): string[] =>
    (childText(rule, name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const methods = list('AllowedMethods');
  const maxAgeSeconds = Number(childText(rule, 'MaxAgeInSeconds') ?? 'none');
  const origins = list('AllowedOrigins');
  const fits =
    origins.length > 0 &&
    methods.length > 0 &&
    methods.every((method) => METHODS.has(method)) &&
    Number.isInteger(maxAgeSeconds) &&
    maxAgeSeconds >= 0;
  if (!fits) throw new BlobError('InvalidXmlDocument');
  const [allowedHeaders, exposedHeaders] = [list('AllowedHeaders'), list('ExposedHeaders')];
  return { origins, methods, allowedHeaders, exposedHeaders, maxAgeSeconds };
}

/** @throws BlobError */
function retentionDays(policy: Element): number | undefined {
  if (childText(policy, 'Enabled') !== 'true') return undefined;
  const days = Number(childText(policy, 'Days') ?? 'none');
  if (!Number.isInteger(days) || days < 1 || days > RETENTION_DAYS_MAX)
    throw new BlobError('InvalidXmlDocument');
  return days;
}

export async function getUserDelegationKey({ call, rights, store, account }: Work): Promise<Reply> {
  const root = await documentOf(call, 'KeyInfo');
  const nowMs = store.now();
  const start = Date.parse(childText(root, 'Start') ?? '') || nowMs;
  const expiry = Date.parse(childText(root, 'Expiry') ?? 'none');
  const isWithin = expiry > start && expiry > nowMs && expiry <= nowMs + DELEGATED_KEY_MS_MAX;
  if (!isWithin || start > nowMs + DELEGATED_KEY_MS_MAX) throw new BlobError('InvalidXmlNodeValue');
  const { objectId, tenantId } = rights.user ?? {};
  if (objectId === undefined || tenantId === undefined) throw new Error('a key without a user');
  const delegated = {
    objectId,
    tenantId,
    start: toSeconds(start),
    expiry: toSeconds(expiry),
    service: 'b',
    version: rights.version,
    delegatedTenantId: childText(root, 'DelegatedUserTid'),
  };
  const body = element('UserDelegationKey', {}, [
    element('SignedOid', objectId),
    element('SignedTid', tenantId),
    element('SignedStart', delegated.start),
    element('SignedExpiry', delegated.expiry),
    element('SignedService', delegated.service),
    element('SignedVersion', delegated.version),
    element('SignedDelegatedUserTid', delegated.delegatedTenantId),
    element('Value', delegatedKeyValue(account, delegated)),
  ]);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: DECLARATION + body };
}

const toSeconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

export function getAccountInformation(): Reply {
  const headers = {
    'x-ms-sku-name': 'Standard_LRS',
    'x-ms-account-kind': 'StorageV2',
    'x-ms-is-hns-enabled': 'false',
  };
  return { status: 200, headers };
}

/** @throws BlobError */
async function documentOf(call: Call, name: string): Promise<Element> {
  const xml = await xmlTextIn(call);
  try {
    const { root } = parseXml(xml.replace(/^\uFEFF/, '').trim());
    if (root.name === name) return root;
  } catch {
    // The same as another document.
  }
  throw new BlobError('InvalidXmlDocument');
}

const child = (parent: Element, name: string): Element | undefined =>
  parent.children.find((one) => one.name === name);

const childText = (parent: Element, name: string): string | undefined => child(parent, name)?.text;
