/** Records of every entity at every site: which there are, one list, one record. */
import type { JSX } from 'preact';
import type { EntityFacts } from '../../server/entities.ts';
import { useEntities } from '../entities.ts';
import { Filter, Shown, Table, Title } from '../parts/parts.tsx';
import { hrefOf, route } from '../route.ts';
import { RecordList } from './records-list.tsx';
import { RecordPage } from './records-one.tsx';

/** `#/records`, `#/records/<entity>`, `#/records/<entity>/<id>` */
export function Records(): JSX.Element {
  const { args } = route.value;
  const loaded = useEntities();
  const [name, id] = args;
  return (
    <Shown loaded={loaded}>
      {(entities) => {
        if (name === undefined) return <Entities entities={entities} />;
        const entity = entities.find((each) => each.name === name);
        if (entity === undefined)
          return (
            <>
              <Title text="Records" />
              <p class="problem">{name} is no entity of this release.</p>
            </>
          );
        if (id === undefined) return <RecordList key={name} entity={entity} />;
        return <RecordPage key={`${name} ${id}`} entity={entity} id={id} />;
      }}
    </Shown>
  );
}

function Entities({ entities }: { entities: readonly EntityFacts[] }): JSX.Element {
  const { name = '' } = route.value.query;
  const shown = entities.filter((each) => `${each.name} ${each.collection}`.includes(name.toLowerCase()));
  return (
    <>
      <Title text="Records" note="What the contract declares; each entity is at every site." />
      <div class="filters">
        <Filter name="name" label="Name" />
      </div>
      <Table
        caption="Entities"
        rows={shown}
        keyOf={(entity) => entity.name}
        none="No entity has such a name."
        columns={[
          { name: 'Entity', cell: (entity) => <a href={hrefOf('records', [entity.name])}>{entity.name}</a> },
          { name: 'What it is', cell: ({ description }) => description },
          {
            name: 'Lists by',
            cell: ({ lists }) => ['id', ...new Set(lists.map(({ on }) => on))].join(', '),
          },
          {
            name: 'What can be done',
            cell: ({ creation, change, isRemovable, actions }) =>
              [
                ...(creation === undefined ? [] : ['create']),
                ...(change === undefined ? [] : ['change']),
                ...actions.map((action) => action.name),
                ...(isRemovable ? ['delete'] : []),
              ].join(', ') || 'read',
          },
          { name: 'Belongs to', cell: ({ owner, hasTenants }) => (hasTenants ? 'a tenant' : (owner ?? '—')) },
        ]}
      />
    </>
  );
}
