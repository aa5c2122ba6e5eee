/** `tandem backup`, `restore`, `export` and `import`: archives of sites, and what is made of them. */
import { writeFile } from 'node:fs/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { aligned } from '@tandem-clouds/command-line/table';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import { findSite, findTargets } from '@tandem-clouds/operator/targets';
import { AppError } from '@tandem-clouds/replication/errors';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { RecordState } from '@tandem-clouds/replication/record';
import { listFulls, runFull } from '../../src/shared/backup/full.ts';
import { readManifests } from '../../src/shared/backup/manifest.ts';
import { readArchives, sitesOf, wantedOf } from '../../src/shared/backup/read-archive.ts';
import {
  claimContents,
  planRestore,
  requireNewSite,
  restoreContents,
  restoreStates,
} from '../../src/shared/backup/restore.ts';
import { type ArchiveStorage, listArchive } from '../../src/shared/backup/storage.ts';
import { type RecordUndo, undoOf, type UndoWindow } from '../../src/shared/backup/undo.ts';
import { verifyArchive } from '../../src/shared/backup/verify-archive.ts';
import { contentsOf } from '../../src/shared/domain/content.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import type {
  ExportOptions,
  ImportOptions,
  PlacesOptions,
  SiteRestoreOptions,
  UndoOptions,
} from './options.ts';
import {
  archivesOfStack,
  objectsOfStack,
  openArchivePlace,
  openObjectsPlace,
  openStorePlace,
  type Place,
  siteOfStack,
  storeOfStack,
} from './places.ts';

interface Archive {
  readonly place: string;
  readonly storage: ArchiveStorage;
  readonly site: string;
}

const CHANGES_SHOWN = 20;

/** What an archive does not hold, or a storage does not say, is a sentence for the person. */
async function told<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AppError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

async function archivesOf({ from, stack, of }: PlacesOptions): Promise<readonly Archive[]> {
  const places: readonly Place<ArchiveStorage>[] =
    from.length > 0 ? from.map(openArchivePlace) : archivesOfStack(stack);
  const found: Archive[] = [];
  for (const { name, opened } of places)
    for (const site of await sitesOf(opened)) found.push({ place: name, storage: opened, site });
  const wanted = of.length === 0 ? found : found.filter(({ site }) => of.includes(site));
  const unknown = of.find((site) => !found.some((archive) => archive.site === site));
  if (unknown !== undefined || wanted.length === 0)
    throw new CommandError(
      `there is no archive of ${unknown ?? 'any site'} in ${places.map(({ name }) => name).join(', ')}` +
        (found.length === 0
          ? '; is the feature backup on?'
          : `, but of ${found.map(({ site }) => site).join(', ')}`),
    );
  return wanted;
}

/** What is there. Returns 0. */
export function listBackups(options: PlacesOptions, { out }: CommandContext): Promise<number> {
  return told(async () => {
    for (const { place, storage, site } of await archivesOf(options)) {
      const [fulls, manifests, segments] = await Promise.all([
        listFulls(storage, site),
        readManifests(storage, site),
        listArchive(storage, site, 'segments'),
      ]);
      const safeTime = manifests.at(-1)?.manifest.safeTime ?? null;
      const bytes = segments.reduce((sum, each) => sum + each.bytes, 0);
      if (options.json) {
        const list = fulls.map(({ kind, beganMs, parts, complete }) => ({
          kind,
          beganAt: new Date(beganMs).toISOString(),
          parts: parts.length,
          bytes: parts.reduce((sum, each) => sum + each.bytes, 0),
          complete: complete !== undefined,
        }));
        out(`${JSON.stringify({ site, place, safeTime, segments: segments.length, bytes, fulls: list })}\n`);
        continue;
      }
      out(
        `${site}, in ${place}: everything before ${safeTime ?? 'nothing yet'}; ${segments.length} segments, ${bytes} bytes\n`,
      );
      const rows = fulls.map(({ kind, beganMs, parts, complete }) => [
        `  ${kind}`,
        new Date(beganMs).toISOString(),
        `${parts.length} parts`,
        `${parts.reduce((sum, each) => sum + each.bytes, 0)} bytes`,
        complete === undefined ? 'not complete' : 'complete',
      ]);
      if (rows.length > 0) out(`${aligned(rows).join('\n')}\n`);
    }
    return 0;
  });
}

/** Reads all of it. Returns 1 when anything is wrong. */
export function verifyBackups(options: PlacesOptions, { out, err }: CommandContext): Promise<number> {
  return told(async () => {
    let isWrong = false;
    for (const { place, storage, site } of await archivesOf(options)) {
      const result = await verifyArchive(storage, {
        site,
        contents: contentsOf(entities),
        nowMs: Date.now(),
      });
      isWrong ||= result.problems.length > 0;
      if (options.json) out(`${JSON.stringify({ place, ...result })}\n`);
      else {
        out(
          `${site}, in ${place}: ${result.files} files with ${result.records} records, ${result.contents} contents; ` +
            `${result.unsealed} segments after the last manifest; everything before ${result.safeTime ?? 'nothing yet'}\n`,
        );
        for (const problem of result.problems) err(`  ${problem}\n`);
      }
    }
    return isWrong ? 1 : 0;
  });
}

/** Records of archives into the store of a site under a new id. Without --yes it only says what it would do. */
export function restoreSite(options: SiteRestoreOptions, context: CommandContext): Promise<number> {
  return told(async () => {
    const archives = await archivesOf(options);
    const begunMs = Date.now();
    const states = await readArchives(archives, {
      wanted: wantedOf(options),
      ...(options.atMs !== undefined && { atMs: options.atMs }),
    });
    return intoSite({ states, archives, begunMs }, options, context);
  });
}

interface Found {
  readonly states: ReadonlyMap<string, RecordState>;
  readonly archives: readonly Archive[];
  readonly begunMs: number;
}

async function intoSite(
  { states, archives, begunMs }: Found,
  {
    into,
    store: storePlace,
    objects: objectsPlace,
    stack,
    entity,
    key,
    beside,
    yes,
    json,
    report,
  }: SiteRestoreOptions,
  { out, err }: CommandContext,
): Promise<number> {
  if (states.size === 0) throw new CommandError('the archive has no such record at that time');
  const local = storePlace === undefined ? siteOfStack(stack, into) : undefined;
  const target = local === undefined ? openStorePlace(storePlace ?? '') : storeOfStack(local);
  const objects =
    objectsPlace !== undefined ? openObjectsPlace(objectsPlace).opened : local && objectsOfStack(local);
  try {
    const isPart = entity !== undefined || key !== undefined;
    const plan = await planRestore(target.store, states, { site: into, onlyTheirs: isPart });
    requireNewSite(states, { site: into, plan, beside });
    const contents = contentsOf(entities);
    if (!yes) {
      out(
        json
          ? `${JSON.stringify({ dryRun: true, records: states.size, ...plan })}\n`
          : `${states.size} records: ${plan.absent} are not at ${into}, ${plan.older} are older there, ${plan.held} are there. Nothing was written; --yes does it.\n`,
      );
      return 0;
    }
    let shown = 0;
    const progress = (done: number, all: number): void => {
      if (json || (done < all && done - shown < 10_000)) return;
      shown = done;
      err(`${done} of ${all} records\n`);
    };
    const restored = await restoreStates(target.store, states, { now: Date.now, progress });
    const copied =
      objects === undefined || contents === undefined
        ? undefined
        : await contentsFrom(archives, objects, states, contents);
    if (copied !== undefined && contents !== undefined)
      await claimContents({ site: into, peers: [], now: Date.now }, target.store, states, {
        contents,
        failed: copied.failed,
      });
    const compared = await planRestore(target.store, states, { site: into, onlyTheirs: true });
    const failed = { ...restored.failed, ...copied?.failed };
    const isEqual = compared.absent === 0 && compared.older === 0 && Object.keys(failed).length === 0;
    const result = {
      site: into,
      records: states.size,
      written: restored.written,
      ...(copied !== undefined && { contents: copied.copied + copied.held }),
      tookMs: Date.now() - begunMs,
      compared: { absent: compared.absent, older: compared.older, held: compared.held },
      failed,
    };
    if (report !== undefined)
      await writeFile(
        report,
        `${JSON.stringify({ ...result, at: new Date().toISOString(), of: archives.map(({ site }) => site) }, null, 2)}\n`,
      );
    out(
      json
        ? `${JSON.stringify(result)}\n`
        : `${restored.written} records written, ${restored.held} were there${copied === undefined ? '' : `, ${copied.copied} contents copied`}, in ${result.tookMs} ms. Compared: ${compared.held} are equal, ${compared.absent + compared.older} differ.\n`,
    );
    for (const [name, why] of Object.entries(failed)) err(`  ${name}: ${why}\n`);
    return isEqual ? 0 : 1;
  } finally {
    target.close();
    objects?.close();
  }
}

async function contentsFrom(
  archives: readonly Archive[],
  objects: Parameters<typeof restoreContents>[1],
  states: ReadonlyMap<string, RecordState>,
  contents: NonNullable<ReturnType<typeof contentsOf>>,
): ReturnType<typeof restoreContents> {
  const sites = (storage: ArchiveStorage): string[] =>
    archives.filter((archive) => archive.storage === storage).map(({ site }) => site);
  let open = states;
  const total = { copied: 0, held: 0 };
  let failed: Readonly<Record<string, string>> = {};
  for (const storage of new Set(archives.map((archive) => archive.storage))) {
    const result = await restoreContents({ storage, sites: sites(storage) }, objects, open, {
      contents,
      nowMs: Date.now(),
    });
    total.copied += result.copied;
    total.held += result.held;
    failed = result.failed;
    open = new Map([...open].filter(([key]) => Object.hasOwn(failed, key)));
  }
  return { ...total, failed };
}

/** Values of before a moment, written forward by the API of one site. Shows the difference; --yes writes it. */
export function undo(options: UndoOptions, { out, err }: CommandContext): Promise<number> {
  return told(async () => {
    const { entity, key, beforeMs, untilMs, deleteCreated, field, yes, json, at } = options;
    const archives = await archivesOf(options);
    const wanted = wantedOf({ entity, key });
    const [then, now] = [
      await readArchives(archives, { atMs: beforeMs, wanted }),
      await readArchives(archives, { wanted }),
    ];
    if (now.size === 0) throw new CommandError(`no archive has ${key ?? `a record of ${entity ?? ''}`}`);
    const window: UndoWindow = { beforeMs, untilMs, deletesCreated: deleteCreated };
    const plans = [...now]
      .flatMap(([name, state]) => undoOf(name, then.get(name), state, window) ?? [])
      .map((plan) =>
        field.length === 0
          ? plan
          : { ...plan, fields: plan.fields.filter((each) => field.includes(each.field)) },
      );
    const changes = plans.filter(({ fields, life }) => fields.length > 0 || life !== undefined);
    if (json) for (const plan of plans) out(`${JSON.stringify(plan)}\n`);
    else out(textOf(plans, changes.length));
    if (!yes) {
      if (!json) out('Nothing was written; --yes does it.\n');
      return 0;
    }
    const [first] = findTargets(options);
    const api = new OperatorApi(
      at === undefined && first !== undefined ? first : await findSite(options, at),
    );
    let failures = 0;
    for (const { key: name, state, fields, life } of changes) {
      try {
        await api.restore({
          key: name,
          state,
          fields: fields.map(({ field: of, to, as }) => ({ field: of, to, as })),
          ...(life !== undefined && { life }),
        });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        failures += 1;
        err(`  ${name}: ${error.message}\n`);
      }
    }
    const written = changes.length - failures;
    out(
      json
        ? `${JSON.stringify({ written, failed: failures })}\n`
        : `${written} records written${failures === 0 ? '' : `, ${failures} not: run it again`}.\n`,
    );
    return failures === 0 ? 0 : 1;
  });
}

function textOf(plans: readonly RecordUndo[], changes: number): string {
  const lines = plans
    .slice(0, CHANGES_SHOWN)
    .flatMap(({ key, fields, life, kept, open }) => [
      `${key}${life === 'back' ? ' comes back' : life === 'gone' ? ' is deleted' : ''}`,
      ...fields.map(({ field, from, to }) => `    ${field}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`),
      ...kept.map((field) => `    ${field} stays: it was written later`),
      ...Object.entries(open).map(([field, why]) => `    ${field} is left to you: ${why}`),
    ]);
  const more = plans.length - CHANGES_SHOWN;
  return `${lines.join('\n')}${lines.length > 0 ? '\n' : ''}${more > 0 ? `and ${more} more; --json shows all\n` : ''}${changes} of ${plans.length} records are changed.\n`;
}

/** All records of a site, and its objects, as files. Goes on where it was interrupted. */
export function exportSite(
  { site: name, store: storePlace, objects: objectsPlace, stack, to, json }: ExportOptions,
  { out, err }: CommandContext,
): Promise<number> {
  return told(async () => {
    const local = storePlace === undefined ? siteOfStack(stack, name) : undefined;
    const source = local === undefined ? openStorePlace(storePlace ?? '') : storeOfStack(local);
    const objects =
      objectsPlace !== undefined ? openObjectsPlace(objectsPlace).opened : local && objectsOfStack(local);
    const storage = openArchivePlace(to).opened;
    // Everything that the site has, wherever it may be kept: the folder is the person's own place.
    const site: Site = { site: name, peers: [], archiveAt: name, now: Date.now };
    try {
      const contents = contentsOf(entities);
      const begunMs = Date.now();
      const done = await runFull({ site, store: source.store, storage, contents, objects, endsMs: Infinity });
      if (done === undefined)
        throw new CommandError(`${to} has an export of ${name} of today; choose another folder`);
      const full = (await listFulls(storage, name)).at(-1);
      const result = { site: name, to, ...done, tookMs: Date.now() - begunMs };
      out(
        json
          ? `${JSON.stringify(result)}\n`
          : `${done.records} records in ${full?.parts.length ?? 0} files and ${done.contents} contents, in ${result.tookMs} ms.\n`,
      );
      for (const [key, why] of Object.entries(done.withoutBytes)) err(`  ${key}: ${why}\n`);
      return Object.keys(done.withoutBytes).length === 0 ? 0 : 1;
    } finally {
      source.close();
      objects?.close();
    }
  });
}

/** What was exported, into an empty site: verified first, and compared afterwards. */
export function importSite(options: ImportOptions, context: CommandContext): Promise<number> {
  return told(async () => {
    const begunMs = Date.now();
    const archives = await importedFrom(options.from);
    for (const { storage, site } of archives) {
      const { problems } = await verifyArchive(storage, {
        site,
        contents: contentsOf(entities),
        nowMs: begunMs,
      });
      if (problems.length > 0)
        throw new CommandError(`${options.from} is damaged: ${problems.slice(0, 5).join('; ')}`);
    }
    const states = await readArchives(archives, {});
    const whole = {
      ...options,
      from: [options.from],
      of: [],
      entity: undefined,
      key: undefined,
      atMs: undefined,
    };
    return intoSite({ states, archives, begunMs }, whole, context);
  });
}

/** An export has no manifests: its sites are those of its fulls. */
async function importedFrom(from: string): Promise<readonly Archive[]> {
  const { opened: storage } = openArchivePlace(from);
  const { objects } = await storage.list({ prefix: 'v1/' });
  const sites = [...new Set(objects.map(({ key }) => key.split('/')[2] ?? ''))].sort();
  const found: Archive[] = [];
  for (const site of sites) {
    const fulls = await listFulls(storage, site);
    if (fulls.some(({ complete }) => complete !== undefined)) found.push({ place: from, storage, site });
    else if (fulls.length > 0)
      throw new CommandError(
        `${from}: the export of ${site} is not complete: run the export again, which goes on`,
      );
  }
  if (found.length === 0) throw new CommandError(`${from} holds no export`);
  return found;
}
