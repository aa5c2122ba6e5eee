/** The archive among the queues of a function of the bridge; none where the configuration names no place for it. */
import { ARCHIVE } from '@tandem-clouds/replication/archive';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { archiveQueue } from '../shared/backup/archive-queue.ts';
import type { Runtime } from '../shared/runtime.ts';

export function archiveSenders({
  config,
  site,
  tracing,
}: Runtime): readonly (readonly [string, QueueSender])[] {
  if (site.archiveAt === undefined) return [];
  const queue = archiveQueue({
    site: site.site,
    now: site.now,
    open: async () => (await import('../shared/adapters/peers/open-archive.ts')).openArchive(config.peers),
  });
  return [[ARCHIVE, tracing.queue(queue, 'archive', site.archiveAt)]];
}
