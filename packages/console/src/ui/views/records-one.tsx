/** One record: what each site has of it, what happened to it, and what can be done with it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { EntityFacts } from '../../server/entities.ts';
import { sitePath } from '../api.ts';
import { actingHeaders, recordCurl, recordKey, recordPath } from '../entities.ts';
import { short } from '../format.ts';
import { answering, siteNames } from '../live.ts';
import { AsCurl } from '../parts/as-curl.tsx';
import { Badge, chosenSite, Moment, Title } from '../parts/parts.tsx';
import { RequestForm } from '../parts/request-form.tsx';
import { SiteChoice, stayAt } from '../parts/site-choice.tsx';
import { StatePicture } from '../parts/state-picture.tsx';
import { Value } from '../parts/value.tsx';
import { type SeenChange, useVersions, type Version } from '../record-versions.ts';
import { hrefOf, route } from '../route.ts';
import { fieldRows } from '../versions.ts';
import { History } from './records-history.tsx';
import { Acting } from './records-list.tsx';

export function RecordPage({ entity, id }: { entity: EntityFacts; id: string }): JSX.Element {
  const { owner, tenant } = route.value.query;
  const headers = actingHeaders(entity);
  const path = recordPath(entity, id);
  const { versions, changes } = useVersions(siteNames.value, path, headers);
  const site = chosenSite();
  return (
    <>
      <Title text={`${entity.name} ${id}`} note={entity.description}>
        <a href={hrefOf('records', [entity.name], { owner, tenant })}>All {entity.collection}</a>
      </Title>
      <Acting entity={entity} />
      <VersionTable entity={entity} versions={versions} />
      {Object.entries(entity.states).map(([field, states]) => {
        const known = versions.find(({ site: each }) => each === site)?.record?.[field];
        return (
          <StatePicture
            key={field}
            field={field}
            states={states}
            now={typeof known === 'string' ? known : undefined}
          />
        );
      })}
      {site !== undefined && <AsCurl of="this record" text={() => recordCurl(site, { path, headers })} />}
      <Feed changes={changes} />
      <RecordActions entity={entity} id={id} versions={versions} only={undefined} />
      <History
        entity={entity}
        recordKey={recordKey(entity, id, tenant)}
        state={versions.map(({ etag = '' }) => etag).join(' ')}
      />
    </>
  );
}

/** What the sites have, beside each other. */
export function VersionTable({
  entity,
  versions,
}: {
  entity: EntityFacts;
  versions: readonly Version[];
}): JSX.Element {
  const rows = fieldRows(
    versions.map(({ record }) => record),
    ['id', entity.idField, ...Object.keys(entity.fields)],
  );
  const isSame = new Set(versions.map(({ etag }) => etag)).size === 1;
  const differing = rows.filter(({ differs }) => differs).length;
  return (
    <section>
      <h2>
        At the sites{' '}
        {versions.every(({ state }) => state === 'there') &&
          (isSame ? (
            <Badge kind="good" text="the same version everywhere" />
          ) : differing > 0 ? (
            <Badge kind="warn" text={`${differing} ${differing === 1 ? 'field differs' : 'fields differ'}`} />
          ) : (
            <Badge kind="neutral" text="other versions, the same values" />
          ))}
      </h2>
      <div class="wide" tabIndex={0} role="region" aria-label="The record at the sites">
        <table class="versions">
          <caption class="unseen">The record at the sites</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              {versions.map(({ site }) => (
                <th key={site} scope="col">
                  {site}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Version</th>
              {versions.map((version) => (
                <td key={version.site}>
                  <VersionCell version={version} />
                </td>
              ))}
            </tr>
            {rows.map(({ name, values, differs }) => (
              <tr key={name} class={differs ? 'differs' : ''}>
                <th scope="row">
                  {name} {differs && <Badge kind="warn" text="differs" />}
                </th>
                {versions.map(({ site, record }, at) => (
                  <td key={site}>
                    {record === undefined ? (
                      <span class="muted">—</span>
                    ) : (
                      <Shown
                        name={`${name} at ${site}`}
                        value={values[at]}
                        isTime={/(At|Until)$/.test(name)}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Shown({ name, value, isTime }: { name: string; value: unknown; isTime: boolean }): JSX.Element {
  if (isTime && typeof value === 'string') return <Moment at={value} />;
  if (/AtMs|SinceMs|UntilMs/.test(name) && typeof value === 'number') return <Moment at={value} />;
  return <Value value={value} name={name} />;
}

function VersionCell({ version: { state, etag, problem } }: { version: Version }): JSX.Element {
  switch (state) {
    case 'asking':
      return <span class="muted">Asking …</span>;
    case 'absent':
      return (
        <>
          <Badge kind="neutral" text="not there" /> <small>{problem}</small>
        </>
      );
    case 'silent':
      return (
        <>
          <Badge kind="bad" text="no answer" /> <span class="problem">{problem}</span>
          {etag !== undefined && <small> last known: {etag}</small>}
        </>
      );
    case 'there':
      return <code>{etag}</code>;
  }
}

function Feed({ changes }: { changes: readonly SeenChange[] }): JSX.Element {
  return (
    <section>
      <h2>Changes since this page was opened</h2>
      {changes.length === 0 ? (
        <p class="muted">None so far; they are shown as they come.</p>
      ) : (
        <ol class="feed" aria-live="polite">
          {changes.map(({ id, atMs, site, what, etag, fields }) => (
            <li key={id}>
              <Moment at={atMs} /> <strong>{site}</strong> {what}
              {etag !== undefined && (
                <>
                  , now <code>{etag}</code>
                </>
              )}
              {fields.length > 0 && (
                <ul>
                  {fields.slice(0, 10).map(({ name, before, after }) => (
                    <li key={name}>
                      {name}: {short(before)} → {short(after)}
                    </li>
                  ))}
                  {fields.length > 10 && <li>and {fields.length - 10} more fields</li>}
                </ul>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** What can be done with a record, each as a form. @param only Names of actions; undefined: also change and deletion. */
export function RecordActions({
  entity,
  id,
  versions,
  only,
}: {
  entity: EntityFacts;
  id: string;
  versions: readonly Version[];
  only: readonly string[] | undefined;
}): JSX.Element | null {
  const [open, setOpen] = useState<string | undefined>(undefined);
  const [base, setBase] = useState<Version | undefined>(undefined);
  const site = chosenSite();
  const here = versions.find((version) => version.site === site);
  const { change, actions, isRemovable, name } = entity;
  const shown = actions.filter((action) => only === undefined || only.includes(action.name));
  const buttons = [
    ...(only === undefined && change !== undefined ? ['change'] : []),
    ...shown.map((action) => action.name),
    ...(only === undefined && isRemovable ? ['delete'] : []),
  ];
  if (buttons.length === 0 || site === undefined) return null;
  const headers = actingHeaders(entity);
  const path = recordPath(entity, id);
  const copied = siteNames.value.filter((each) => each !== site);
  const crosses =
    copied.length === 0 ? [] : [`It is written at ${site} and copied to ${copied.join(', ')} from there.`];
  const action = shown.find((each) => each.name === open);
  const common = { site, headers, done: () => setOpen(undefined) };
  return (
    <section class="card">
      <h2>What can be done</h2>
      <div class="filters">
        <SiteChoice label="At the site" />
        {!answering.value.includes(site) && <Badge kind="bad" text={`${site} does not answer`} />}
      </div>
      <div class="buttons">
        {buttons.map((button) => (
          <button
            key={button}
            type="button"
            aria-expanded={open === button}
            disabled={here?.record === undefined}
            onClick={() => {
              stayAt(site);
              setOpen(open === button ? undefined : button);
              setBase(here);
            }}
          >
            {button === 'change' ? 'Change' : button === 'delete' ? 'Delete' : button}
          </button>
        ))}
      </div>
      {open === 'change' && change !== undefined && base?.record !== undefined && (
        <>
          {here?.etag !== base.etag && (
            <p class="problem" role="alert">
              It has changed at {site} since this form was opened; as it stands, the change would be refused.{' '}
              <button type="button" onClick={() => setBase(here)}>
                Begin with what is there now
              </button>
            </p>
          )}
          <RequestForm
            key={`${site} ${base.etag ?? ''}`}
            {...common}
            title={`Change: ${name} ${id}`}
            act="Change"
            schema={change}
            method="PATCH"
            path={path}
            base={{ record: base.record, etag: base.etag }}
            isKeyed
            will={crosses}
          />
        </>
      )}
      {action !== undefined && (
        <RequestForm
          key={`${site} ${action.name}`}
          {...common}
          title={`${action.name}: ${name} ${id}`}
          act={action.summary}
          schema={action.schema}
          method="POST"
          path={`${path}/${action.name}`}
          isKeyed
          isDangerous={['cancel', 'refund'].includes(action.name)}
          will={[`${action.summary}.`, ...crosses]}
        />
      )}
      {open === 'delete' && isRemovable && (
        <RequestForm
          key={site}
          {...common}
          title={`Delete: ${name} ${id}`}
          act="Delete"
          schema={{ properties: {} }}
          method="DELETE"
          path={path}
          etag={here?.etag}
          isKeyed={false}
          isDangerous
          will={[`The ${name} is gone for everybody, at every site.`, ...crosses]}
        />
      )}
      {entity.contents.length > 0 && here?.record !== undefined && (
        <p>
          What it holds:{' '}
          {entity.contents.map((content) => (
            <span key={content}>
              <a href={sitePath(site, `${path}/${content}`)} target="_blank" rel="noreferrer">
                {content}
              </a>{' '}
            </span>
          ))}
        </p>
      )}
    </section>
  );
}
