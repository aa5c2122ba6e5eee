/** The stack of `npm start`, as commands meet it whose policy has `provider: local`. */
import type { Policy, SiteSettings } from '../policy/policy.ts';

/** A site and where its functions answer. */
export interface LocalSite {
  readonly site: string;
  readonly url: string;
}

export interface LocalStack {
  /** Base URL of the DNS server's control interface. */
  readonly controlUrl: string;
  /** What an operator presents to the sites. */
  readonly operatorKey: string;
  readonly sites: readonly LocalSite[];
}

/** The sites' addresses begin at 127.0.0.2. */
const FIRST_ADDRESS = 2;

/**
 * A policy for the sites that a stack has. What it says of those sites stays, but for where they are. When the stack
 * has other sites than the policy, every name leads to all of them, each under an address of its own.
 */
export function policyFor(policy: Policy, sites: readonly LocalSite[]): Policy {
  const names = sites.map(({ site }) => site);
  const isSame = names.toSorted().join() === Object.keys(policy.sites).toSorted().join();
  const settings = sites.map(({ site, url }, index): [string, SiteSettings] => {
    const own = Object.hasOwn(policy.sites, site) ? policy.sites[site] : undefined;
    const endpoint = { addresses: [`127.0.0.${FIRST_ADDRESS + index}`] };
    return [site, isSame && own !== undefined ? { ...own, url } : { ...own, url, endpoint }];
  });
  const all = Object.fromEntries(settings);
  return isSame
    ? { ...policy, sites: all }
    : { ...policy, sites: all, names: policy.names.map((name) => ({ ...name, sites: names })) };
}
