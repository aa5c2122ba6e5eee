/** Timer-triggered: goes on with a full backup, and seals what was written since the last run (docs/backup.md). */
import { timerEntry } from '#cloud';
import { openArchive } from '../shared/adapters/peers/open-archive.ts';
import { runBackup } from '../shared/backup/run-backup.ts';
import { contentsOf } from '../shared/domain/content.ts';
import { openOwnObjects } from '../shared/open-content.ts';
import { entities } from '../shared/registry/entities.ts';
import { openRuntime, openSiteStore } from '../shared/runtime.ts';

const runtime = openRuntime();
const { config, logger, site, tracing } = runtime;
const store = openSiteStore(runtime, 'background');
const contents = contentsOf(entities);
const objects = openOwnObjects(config);

export const handler = timerEntry(
  tracing.timer('backup', async () => {
    if (site.archiveAt === undefined) {
      logger.log('warn', 'no backup: no peer has a place for the archive of this site', {});
      return false;
    }
    const storage = openArchive(config.peers);
    try {
      const { full, manifest } = await runBackup({ site, store, storage, contents, objects });
      if (full !== undefined)
        logger.log('info', full.complete ? 'full backup ended' : 'full backup goes on', { ...full });
      if (manifest !== undefined)
        logger.log('info', 'backup sealed', {
          safeTime: manifest.safeTime,
          segments: manifest.segments.length,
        });
    } finally {
      storage.close();
    }
    return false;
  }),
  { config },
);
