/** The entities of the contract, and how a request about one of their records is made. */
import { signal } from '@preact/signals';
import type { EntitiesView, EntityFacts } from '../server/entities.ts';
import { ask, query } from './api.ts';
import { curlOf, type CurlRequest } from './curl.ts';
import { facts } from './live.ts';
import { type Loaded, useLoaded } from './loaded.ts';
import { route } from './route.ts';

const known = signal<EntitiesView | undefined>(undefined);

/** Asked for once in the life of the page. */
export function useEntities(): Loaded<readonly EntityFacts[]> {
  return useLoaded('entities', async (leave) => {
    known.value ??= await ask<EntitiesView>('/api/entities', { signal: leave });
    return known.value.entities;
  });
}

/** For whom records are asked, as the address says: their owner, or their tenant. */
export function actingHeaders(entity: EntityFacts): Readonly<Record<string, string>> {
  const { owner = '', tenant = '' } = route.value.query;
  return {
    // A site that does not keep such records says so, in place of sending the page elsewhere.
    'x-tandem-follow': '1',
    ...(entity.owner !== undefined && owner !== '' && { 'x-tandem-owner': encodeURIComponent(owner) }),
    ...(entity.hasTenants && tenant !== '' && { 'x-tandem-tenant': encodeURIComponent(tenant) }),
  };
}

/** `/users/ada`, without the first slash. */
export function recordPath({ collection }: EntityFacts, id: string): string {
  return `${collection}/${encodeURIComponent(id)}`;
}

/** What the sites know a record by. @param tenant Of entities that have some. */
export function recordKey({ name, hasTenants }: EntityFacts, id: string, tenant = ''): string {
  return hasTenants ? `${name}:${tenant}~${id}` : `${name}:${id}`;
}

export interface ListChoice {
  readonly by?: string | undefined;
  readonly is?: string | undefined;
  readonly order?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly prefix?: string | undefined;
  readonly direction?: string | undefined;
}

/** The query of a list: of one value of an indexed field, a range of what orders it, and a direction. */
export function listQuery(
  { lists }: Pick<EntityFacts, 'lists'>,
  { by = '', is, order, from, to, prefix, direction }: ListChoice,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): string {
  const candidates = lists.filter(({ on }) => on === by);
  const list = candidates.find((each) => each.order === order) ?? candidates[0];
  if (list === undefined) return query({ ...page });
  return query({
    [list.on]: is,
    [`${list.order}[gte]`]: from,
    [`${list.order}[lt]`]: to,
    ...(list.folded && { [`${list.order}[prefix]`]: prefix }),
    order: direction,
    ...page,
  });
}

/** A request about records of a site, for a shell. */
export function recordCurl(
  site: string,
  request: Omit<CurlRequest, 'url' | 'bearer'> & { readonly path: string },
): string {
  const base = facts.value?.sites.find((each) => each.site === site)?.url ?? `https://${site}`;
  const { path, headers = {}, ...rest } = request;
  const { 'x-tandem-follow': _, ...shown } = headers;
  return curlOf({
    ...rest,
    headers: shown,
    url: `${base.replace(/\/$/, '')}/${path}`,
    bearer: path.startsWith('replication/')
      ? 'TANDEM_OPERATOR_KEY'
      : known.value?.asksForTokens === true
        ? 'TANDEM_TOKEN'
        : undefined,
  });
}
