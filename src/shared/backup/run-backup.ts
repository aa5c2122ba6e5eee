/** What a run of the backup does: it goes on with a full, and then seals what was written since the last time. */
import { ARCHIVE } from '@tandem-clouds/replication/archive';
import { AppError } from '@tandem-clouds/replication/errors';
import { exposureOf } from '@tandem-clouds/replication/exposure';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { archiveRunMs, exposureKeysMax } from '../bounds.ts';
import { type FullOptions, type FullProgress, runFull } from './full.ts';
import { type Manifest, seal } from './manifest.ts';

export type BackupOptions = Omit<FullOptions, 'endsMs' | 'store'> & {
  readonly store: Pick<Store, 'scan' | 'exposure'>;
  readonly runMs?: number;
};

export interface BackupReport {
  readonly full?: FullProgress;
  readonly manifest?: Manifest;
}

/**
 * One run. The seal comes last and always: a full that fails must not keep what is written from being sealed.
 * @throws what the storage or the store throws.
 */
export async function runBackup(options: BackupOptions): Promise<BackupReport> {
  const { site, storage, store, runMs = archiveRunMs } = options;
  const endsMs = site.now() + runMs;
  let failure: AppError | undefined;
  let full: FullProgress | undefined;
  try {
    full = await runFull({ ...options, endsMs });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    failure = error;
  }
  const safeTimeMs = await safeTimeOf(site, store);
  const manifest = await seal(storage, { site: site.site, safeTimeMs, now: site.now });
  if (failure !== undefined) throw failure;
  return { ...(full !== undefined && { full }), ...(manifest !== undefined && { manifest }) };
}

/** Epoch milliseconds: everything that the site acknowledged before is in its archive. */
async function safeTimeOf({ now }: BackupOptions['site'], store: Pick<Store, 'exposure'>): Promise<number> {
  const nowMs = now();
  const page = await store.exposure(exposureKeysMax);
  return exposureOf(page, { peers: [ARCHIVE], nowMs })[0]?.safeTimeMs ?? 0;
}
