/** One entity's records at one site: by id, or by the lists that it declares, page by page. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { EntityFacts } from '../../server/entities.ts';
import { ofSite } from '../api.ts';
import { actingHeaders, listQuery, recordCurl } from '../entities.ts';
import { siteNames } from '../live.ts';
import { type Page, type Pages, ROWS_MAX, usePages } from '../pages.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { Choice, chosenSite, type Column, Filter, Moment, Problem, Table, Title } from '../parts/parts.tsx';
import { RequestForm } from '../parts/request-form.tsx';
import { SiteChoice, stayAt } from '../parts/site-choice.tsx';
import { Value } from '../parts/value.tsx';
import { hrefOf, route } from '../route.ts';
import { type RecordValues, textAt } from '../versions.ts';

const PAGE = 25;
/** Beside id and age. */
const COLUMNS_MAX = 5;

export function RecordList({ entity }: { entity: EntityFacts }): JSX.Element {
  const site = chosenSite();
  const { query } = route.value;
  const headers = actingHeaders(entity);
  // A list by a field needs its value; until that is there, the list of all is shown.
  const choice = { ...query, ...((query['is'] ?? '') === '' && { by: undefined }) };
  const pathOf = (cursor?: string): string =>
    `${entity.collection}${listQuery(entity, choice, { limit: PAGE, cursor })}`;
  const key = JSON.stringify([site, pathOf(), headers]);
  const pages = usePages(key, async (cursor, signal): Promise<Page<RecordValues>> => {
    if (site === undefined) return { items: [] };
    return ofSite(site, pathOf(cursor), { headers, signal });
  });
  return (
    <>
      <Title text={entity.collection} note={entity.description}>
        <a href={hrefOf('records')}>All entities</a>
      </Title>
      <Filters entity={entity} />
      <Acting entity={entity} />
      <Rows entity={entity} pages={pages} />
      {site !== undefined && (
        <AsCurl of="this list" text={() => recordCurl(site, { path: pathOf(), headers })} />
      )}
      {site !== undefined && <Create entity={entity} site={site} headers={headers} />}
    </>
  );
}

function Filters({ entity }: { entity: EntityFacts }): JSX.Element {
  const { lists, fields } = entity;
  const { by = '', order } = route.value.query;
  const ofField = lists.filter(({ on }) => on === by);
  const list = ofField.find((each) => each.order === order) ?? ofField[0];
  const { enum: values } = (fields[by] ?? {}) as { enum?: readonly string[] };
  return (
    <div class="filters">
      <SiteChoice label="Site" />
      {lists.length > 0 && (
        <Choice
          name="by"
          label="List by"
          values={[...new Set(lists.map(({ on }) => on))]}
          empty="id: all of them"
        />
      )}
      {list !== undefined && (
        <>
          {values === undefined ? (
            <Filter name="is" label={`${list.on} is`} />
          ) : (
            <Choice name="is" label={`${list.on} is`} values={values} empty="—" />
          )}
          {ofField.length > 1 && (
            <Choice name="order" label="In the order of" values={ofField.map((each) => each.order)} />
          )}
          {list.folded && <Filter name="prefix" label={`${list.order} begins with`} />}
          <Filter name="from" label={`${list.order} from`} />
          <Filter name="to" label={`${list.order} before`} />
          <Choice name="direction" label="Direction" values={['asc', 'desc']} />
        </>
      )}
    </div>
  );
}

/** For whom the records are asked, where they belong to somebody. */
export function Acting({ entity }: { entity: EntityFacts }): JSX.Element | null {
  const { owner, hasTenants } = entity;
  if (owner === undefined && !hasTenants) return null;
  return (
    <div class="filters">
      {owner !== undefined && <Filter name="owner" label={`Act for the owner (${owner})`} />}
      {hasTenants && <Filter name="tenant" label="Act for the tenant" />}
    </div>
  );
}

function Rows({ entity, pages }: { entity: EntityFacts; pages: Pages<RecordValues> }): JSX.Element {
  const { items, unreadable = [], cursor, problem, isLoading, more, again } = pages;
  const { idField } = entity;
  const { owner, tenant } = route.value.query;
  const idOf = (record: RecordValues): string => textAt(record, idField, '');
  const columns: readonly Column<RecordValues>[] = [
    {
      name: idField,
      cell: (record) => (
        <a href={hrefOf('records', [entity.name, idOf(record)], { owner, tenant })}>{idOf(record)}</a>
      ),
    },
    ...shownFields(entity).map((field) => ({
      name: field,
      cell: (record: RecordValues) => <Value value={record[field]} name={`${field} of ${idOf(record)}`} />,
    })),
    { name: 'created', cell: (record) => <Moment at={record['createdAt'] as string | undefined} /> },
  ];
  return (
    <>
      <Problem text={problem} again={again} />
      <Table
        caption={entity.collection}
        columns={columns}
        rows={items}
        keyOf={idOf}
        none={isLoading ? 'Loading …' : problem === undefined ? 'No such records.' : 'Nothing is shown.'}
      />
      {unreadable.length > 0 && (
        <p class="problem">There, and not readable at this site: {unreadable.slice(0, 20).join(', ')}</p>
      )}
      <MoreRows items={items.length} cursor={cursor} isLoading={isLoading} more={more} />
    </>
  );
}

/** The button for the next page; the last rows that are shown are not the last there are. */
export function MoreRows({
  items,
  cursor,
  isLoading,
  more,
}: {
  items: number;
  cursor: string | undefined;
  isLoading: boolean;
  more: () => void;
}): JSX.Element {
  return (
    <p class="more">
      {cursor === undefined ? (
        items > 0 && <span class="muted">{items.toLocaleString()} shown, and that is all.</span>
      ) : items >= ROWS_MAX ? (
        <span class="muted">{items.toLocaleString()} are shown. There are more: filter for them.</span>
      ) : (
        <button type="button" disabled={isLoading} onClick={more}>
          {isLoading ? 'Loading …' : 'More'}
        </button>
      )}
    </p>
  );
}

/** What a record must have, and what lists are made of: that tells one from another. */
function shownFields({ fields, required, lists, states }: EntityFacts): readonly string[] {
  const telling = [...Object.keys(states), ...required, ...lists.flatMap(({ on, order }) => [on, order])];
  return [...new Set([...telling, ...Object.keys(fields)])]
    .filter((field) => Object.hasOwn(fields, field))
    .slice(0, COLUMNS_MAX);
}

function Create({
  entity,
  site,
  headers,
}: {
  entity: EntityFacts;
  site: string;
  headers: Readonly<Record<string, string>>;
}): JSX.Element | null {
  const [isOpen, setOpen] = useState(false);
  const { creation, name } = entity;
  if (creation === undefined) return null;
  const { owner, tenant } = route.value.query;
  const others = siteNames.value.filter((each) => each !== site);
  return (
    <details
      class="card"
      open={isOpen}
      onToggle={({ currentTarget }) => {
        setOpen(currentTarget.open);
        if (currentTarget.open) stayAt(site);
      }}
    >
      <summary>Create a record at {site}</summary>
      {isOpen && (
        <RequestForm
          key={site}
          title={`Create: ${name}`}
          act="Create"
          schema={creation.schema}
          site={site}
          method="POST"
          path={creation.path.slice(1)}
          headers={headers}
          isKeyed
          will={[
            `A new ${name} is written at ${site}${others.length > 0 ? `, and copied to ${others.join(', ')}` : ''}.`,
          ]}
          done={(record) => {
            const id = record?.[entity.idField] ?? record?.['id'];
            if (typeof id === 'string')
              location.hash = hrefOf('records', [name, id], { owner, tenant, site });
          }}
        />
      )}
    </details>
  );
}
