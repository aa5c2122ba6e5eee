/** Where the shop runs: `/site.json`, which the edge or the deployment writes. Nothing of it is baked into the script. */

export interface ShopSite {
  /** As the site names itself: `aws-us-east-1`. */
  readonly name: string;
  /** Of its API, without a slash at the end. */
  readonly url: string;
}

/** Whose payments the sites take. */
export const PROVIDERS = ['stripe', 'paypal'] as const;
export type Provider = (typeof PROVIDERS)[number];

export interface ShopConfig {
  /** The nearest first. */
  readonly sites: readonly ShopSite[];
  /** Origins of the storages that pictures come from. */
  readonly pictures: readonly string[];
  readonly payments: Provider;
}

/** @throws TypeError that names every mistake. */
export function readConfig(value: unknown): ShopConfig {
  const { sites, pictures = [], payments = 'stripe' } = (value ?? {}) as Record<string, unknown>;
  const mistakes: string[] = [];
  if (!Array.isArray(sites) || sites.length === 0) mistakes.push('sites must name one site at least');
  for (const [index, site] of list(sites).entries()) {
    const { name, url } = (site ?? {}) as Partial<Record<keyof ShopSite, unknown>>;
    if (typeof name !== 'string' || name === '') mistakes.push(`sites[${index}].name must be a name`);
    if (!isBase(url))
      mistakes.push(`sites[${index}].url must be an http or https URL without a sign-in, query and fragment`);
  }
  if (!Array.isArray(pictures)) mistakes.push('pictures must be a list');
  for (const [index, origin] of list(pictures).entries())
    if (!isBase(origin) || new URL(origin).origin !== origin)
      mistakes.push(`pictures[${index}] must be an origin`);
  const provider = PROVIDERS.find((known) => known === payments);
  if (provider === undefined) mistakes.push(`payments must be ${PROVIDERS.join(' or ')}`);
  if (mistakes.length > 0 || provider === undefined) throw new TypeError(`site.json: ${mistakes.join('; ')}`);
  return {
    sites: (sites as ShopSite[]).map(({ name, url }) => ({ name, url: url.replace(/\/+$/, '') })),
    pictures: pictures as string[],
    payments: provider,
  };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function isBase(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}
