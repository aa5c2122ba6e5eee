/** The sites of a local stack, as `--sites` names them: `<cloud>-<region>`. */

export type Cloud = 'aws' | 'azure';

export interface SiteName {
  /** `aws-us-east-1`: the site's id everywhere, also in stamps. */
  readonly site: string;
  readonly cloud: Cloud;
  readonly region: string;
}

/** The services that a cloud's emulators offer, each on a port of its own. */
export const SERVICES = {
  aws: ['dynamodb', 'sqs', 'secrets-manager', 's3'],
  azure: ['cosmos', 'service-bus', 'service-bus-control', 'key-vault', 'blob'],
} as const satisfies Readonly<Record<Cloud, readonly string[]>>;

export type Service = (typeof SERVICES)[Cloud][number];

export const DEFAULT_SITES = 'aws-us-east-1,azure-eastus';
const SITES_MIN = 2;
const SITES_MAX = 6;

/** The same bound as the site id of the configuration (src/shared/config/config-schema.ts): 48 characters. */
const SITE = /^(?=.{1,48}$)(aws|azure)-([a-z0-9]+(?:-[a-z0-9]+)*)$/;

/**
 * Reads the value of `--sites`.
 * @throws RangeError naming the name that is wrong.
 */
export function parseSites(list: string): SiteName[] {
  const names = list.split(',').map((name) => name.trim());
  const sites = names.map(parseSite);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new RangeError(`'${repeated}' is named twice`);
  if (sites.length < SITES_MIN || sites.length > SITES_MAX) {
    throw new RangeError(`${sites.length} named; a stack has ${SITES_MIN} to ${SITES_MAX} sites`);
  }
  return sites;
}

/** @throws RangeError when it is no name of a site. */
export function parseSite(site: string): SiteName {
  const [, cloud, region] = SITE.exec(site) ?? [];
  if (cloud === undefined || region === undefined) {
    throw new RangeError(`'${site}' is not a site; write aws-<region> or azure-<region>, in lower case`);
  }
  return { site, cloud: cloud as Cloud, region };
}
