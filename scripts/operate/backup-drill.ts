/**
 * `tandem backup drill`: two sites under load keep their archives, both are stopped with their stores, and a site under a new id is
 * restored from what is in the archives alone; then what a bad release wrote is taken back. Writes its own report.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import type { RecordState } from '@tandem-clouds/replication/record';
import { isOwnBusiness } from '@tandem-clouds/replication/reserved';
import { readBytes } from '../../src/shared/backup/storage.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { restoreSite, undo, verifyBackups } from './backup.ts';
import { FolderStorage } from './folder-storage.ts';
import { archivesOfStack, siteOfStack, storeOfStack } from './places.ts';

const WAIT_MS = 120_000;
const POLL_MS = 250;
const LANES = 8;
/** Of the stack that is lost, and of the one that is empty: no site has the id of another. */
const LOST = 'aws-us-east-1,azure-eastus';
const EMPTY = 'aws-us-west-2,azure-westus';
const INTO = 'aws-us-west-2';

export interface BackupDrillOptions {
  /** Written before the loss. */
  readonly records: number;
  /** A folder for report.json. */
  readonly out: string;
  readonly json: boolean;
}

interface DrillReport {
  readonly at: string;
  readonly records: number;
  /** What the archives were of, and how old what they held was when everything stopped. */
  readonly archives: readonly { readonly site: string; readonly safeTimeAgeMs: number }[];
  readonly verified: boolean;
  readonly restoreMs: number;
  /** Records of the lost stores against those of the restored one, state by state. */
  readonly compared: { readonly equal: number; readonly differing: readonly string[] };
  readonly undo: { readonly spoilt: number; readonly right: number };
  readonly passed: boolean;
}

/** Returns 1 when anything differs. */
export async function drillBackup(
  { records, out: dir, json }: BackupDrillOptions,
  context: CommandContext,
): Promise<number> {
  const { out, err } = context;
  const quiet: CommandContext = { ...context, out: () => undefined };
  const copy = await fs.mkdtemp(path.join(os.tmpdir(), 'tandem-archives-'));
  err('starting two sites that keep archives\n');
  const lost = await startOwnStack('--ephemeral', '--backup', '--types', 'off', '--sites', LOST);
  try {
    const stack = path.join(lost.dir, 'stack.json');
    const sites = lost.describe().sites;
    const urls = sites.map(({ url }) => url);
    await write(urls, records, (index) => ({ name: `Person ${index}` }));
    await until('the archives have everything', () => areArchived(urls));
    const beforeMs = Date.now();
    await delay(10);
    const spoilt = Math.min(records, 100);
    await spoil(urls, spoilt);
    await until('the archives have everything', () => areArchived(urls));
    err(`${records} records written, ${spoilt} spoilt; taking that back\n`);
    const common = { stack, from: [], of: [], json: false };
    await undo(
      {
        ...common,
        sites: [],
        entity: 'user',
        key: undefined,
        field: [],
        beforeMs,
        untilMs: Date.now(),
        deleteCreated: false,
        at: undefined,
        yes: true,
      },
      quiet,
    );
    await until('the archives have everything', () => areArchived(urls));
    const right = await countRight(urls[1] ?? '', spoilt);
    const verified = (await verifyBackups(common, quiet)) === 0;
    const stoppedMs = Date.now();
    const archives = await Promise.all(
      urls.map(async (url) => {
        const { site, archive } = await replicationOf(url);
        return { site, safeTimeAgeMs: stoppedMs - Date.parse(archive?.safeTime ?? '') };
      }),
    );
    const was = new Map<string, RecordState>();
    for (const { site } of sites) for (const [key, state] of await statesOf(stack, site)) was.set(key, state);
    await copyArchives(stack, copy);
    await lost.stop();
    err('both sites are gone; restoring into an empty one\n');
    const result = await restoreInto(copy, path.join(dir, 'restore.json'), was, quiet);
    const passed = verified && result.compared.differing.length === 0 && right === spoilt;
    const report: DrillReport = {
      at: new Date(stoppedMs).toISOString(),
      records,
      archives,
      verified,
      ...result,
      undo: { spoilt, right },
      passed,
    };
    await fs.mkdir(dir, { recursive: true });
    await fs.writeFile(path.join(dir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    out(
      json
        ? `${JSON.stringify(report)}\n`
        : `${passed ? 'passed' : 'FAILED'}: ${result.compared.equal} records are equal to those of the lost sites, ${result.compared.differing.length} differ; restored in ${result.restoreMs} ms; ${right} of ${spoilt} spoilt records are right again. ${path.join(dir, 'report.json')}\n`,
    );
    return passed ? 0 : 1;
  } finally {
    await lost.stop().catch(() => undefined);
    await fs.rm(copy, { recursive: true, force: true });
  }
}

async function restoreInto(
  archives: string,
  report: string,
  was: ReadonlyMap<string, RecordState>,
  quiet: CommandContext,
): Promise<Pick<DrillReport, 'restoreMs' | 'compared'>> {
  const empty = await startOwnStack('--ephemeral', '--types', 'off', '--sites', EMPTY);
  try {
    const stack = path.join(empty.dir, 'stack.json');
    const beginMs = Date.now();
    await fs.mkdir(path.dirname(report), { recursive: true });
    const none = { entity: undefined, key: undefined, atMs: undefined, store: undefined, objects: undefined };
    await restoreSite(
      { stack, from: [archives], of: [], json: false, into: INTO, beside: false, yes: true, report, ...none },
      quiet,
    );
    const restoreMs = Date.now() - beginMs;
    const is = await statesOf(stack, INTO);
    const differing = [...new Set([...was.keys(), ...is.keys()])].filter(
      (key) => textOf(was.get(key)) !== textOf(is.get(key)),
    );
    return { restoreMs, compared: { equal: was.size - differing.length, differing: differing.slice(0, 20) } };
  } finally {
    await empty.stop();
  }
}

function textOf(state: RecordState | undefined): string {
  return state === undefined ? '' : canonicalJson(state as unknown as Json);
}

/** All but what sites say about themselves. */
async function statesOf(stack: string, site: string): Promise<ReadonlyMap<string, RecordState>> {
  const { store, close } = storeOfStack(siteOfStack(stack, site));
  try {
    const states = new Map<string, RecordState>();
    let cursor: string | undefined;
    do {
      const page = await store.scan({ cursor, limit: 500 });
      for (const { key, state } of page.records) if (!isOwnBusiness(key)) states.set(key, state);
      cursor = page.next;
    } while (cursor !== undefined);
    return states;
  } finally {
    close();
  }
}

/** What the lost cloud cannot take with it: here the storages stop together with the stores. */
async function copyArchives(stack: string, dir: string): Promise<void> {
  const folder = new FolderStorage(dir);
  for (const { opened } of archivesOfStack(stack)) {
    let cursor: string | undefined;
    do {
      const page = await opened.list({ prefix: 'v1/', ...(cursor !== undefined && { cursor }) });
      for (const { key } of page.objects) await folder.put(key, await readBytes(opened, key));
      cursor = page.cursor;
    } while (cursor !== undefined);
    opened.close();
  }
}

async function write(
  urls: readonly string[],
  records: number,
  fieldsOf: (index: number) => object,
): Promise<void> {
  const numbers = Array.from({ length: records }, (_, index) => index).values();
  const lane = async (): Promise<void> => {
    for (const index of numbers) {
      const body = { userId: `drill-${index}`, email: `drill-${index}@example.com`, ...fieldsOf(index) };
      await send(`${urls[index % urls.length] ?? ''}/users`, 'POST', 'application/json', body);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function spoil(urls: readonly string[], records: number): Promise<void> {
  await until('both sites have all records', async () => {
    const last = await Promise.all(urls.map((url) => countRight(url, records)));
    return last.every((count) => count === records);
  });
  for (let index = 0; index < records; index += 1)
    await send(
      `${urls[index % urls.length] ?? ''}/users/drill-${index}`,
      'PATCH',
      'application/merge-patch+json',
      {
        name: 'GARBAGE',
      },
    );
}

async function countRight(url: string, records: number): Promise<number> {
  let right = 0;
  for (let index = 0; index < records; index += 1) {
    const response = await fetch(`${url}/users/drill-${index}`);
    const { name } = (await response.json()) as { readonly name?: string };
    if (name === `Person ${index}`) right += 1;
  }
  return right;
}

async function send(url: string, method: string, type: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': type },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new CommandError(`${method} ${url}: HTTP ${response.status}`);
}

async function areArchived(urls: readonly string[]): Promise<boolean> {
  const views = await Promise.all(urls.map(replicationOf));
  return views.every(
    ({ archive, peers }) =>
      archive?.exposure.keys === 0 && peers.every(({ exposure }) => exposure.keys === 0),
  );
}

async function replicationOf(url: string): Promise<ReplicationView> {
  return (await (await fetch(`${url}/replication`)).json()) as ReplicationView;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + WAIT_MS;
  // What was just written is in an answer of a moment ago.
  await delay(1_200);
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new CommandError(`waited ${WAIT_MS / 1_000} s in vain: ${what}`);
    await delay(POLL_MS);
  }
}
