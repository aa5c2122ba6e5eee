/** Which site writes the records of an entity, where one does at a time; and the two steps of moving that. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { closeWriter, type Move, openWriter } from '@tandem-clouds/replication/move-writer';
import { keeps } from '@tandem-clouds/replication/placement';
import type { Site } from '@tandem-clouds/replication/protocol';
import { type Writer, writerIn, writerKey } from '@tandem-clouds/replication/writer-record';
import { InvalidError, NotFoundError } from '../../errors.ts';
import { writerClose, writerOpen } from '../../generated/validators.js';
import { readEach } from '../../read-each.ts';
import type { Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

/** Entity → the site that writes by its declaration. */
export type DeclaredWriters = Readonly<Record<string, string>>;

/** One entity, as this site knows it. */
export interface WriterView extends Writer {
  readonly entity: string;
  readonly declared: string;
}

export function writerRoutes(site: Site, resources: Resources, declared: DeclaredWriters): Route[] {
  const moveOf = ({ entity, epoch }: { entity: string; epoch: number }): Move => {
    const by = Object.hasOwn(declared, entity) ? declared[entity] : undefined;
    if (by === undefined) throw new NotFoundError(`${entity} is no entity that one site writes at a time`);
    return { entity, declared: by, epoch };
  };
  const reply = ({ entity, declared: by }: Move, writer: Writer) => ({
    status: 200,
    body: { site: site.site, writers: [{ entity, declared: by, ...writer }] },
    headers,
  });
  return [
    {
      method: 'GET',
      path: '/replication/writers',
      async handle() {
        const { held } = await readEach(resources.store, Object.keys(declared).map(writerKey));
        const writers = Object.entries(declared).map(([entity, by]) => ({
          entity,
          declared: by,
          ...writerIn(held.get(writerKey(entity))?.record, by),
        }));
        return { status: 200, body: { site: site.site, writers }, headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/writers/close',
      body: writerClose,
      async handle({ body }) {
        const { to, ...seen } = body as { entity: string; epoch: number; to: string };
        const move = moveOf(seen);
        if (!site.peers.includes(to) || !keeps(site, to, { key: `${move.entity}:` })) {
          const detail = `is no peer of ${site.site} that keeps records of ${move.entity}`;
          throw new InvalidError('nobody is there to write', [{ pointer: '/to', rule: 'peer', detail }]);
        }
        return reply(move, await drive(closeWriter(site, move, to), resources));
      },
    },
    {
      method: 'POST',
      path: '/replication/writers/open',
      body: writerOpen,
      async handle({ body }) {
        const move = moveOf(body as { entity: string; epoch: number });
        if (!keeps(site, site.site, { key: `${move.entity}:` })) {
          const detail = `names what ${site.site} does not keep: nobody would write it`;
          throw new InvalidError('nobody is there to write', [{ pointer: '/entity', rule: 'sites', detail }]);
        }
        return reply(move, await drive(openWriter(site, move), resources));
      },
    },
  ];
}
