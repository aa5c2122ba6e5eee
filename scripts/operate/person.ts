/**
 * `tandem person`: what all sites hold of one person, and their erasure with a report that can be checked without any of them.
 *
 * Nothing here writes the subject anywhere but into the folder of an export.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { aligned } from '@tandem-clouds/command-line/table';
import { OperatorApi, type PersonRecordView } from '@tandem-clouds/operator/operator-api';
import { findTargets, type Target } from '@tandem-clouds/operator/targets';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import { entityOf, idOf } from '@tandem-clouds/replication/record';
import type { ErasureView } from '../../src/shared/operations/person-service.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import type { CommonOptions } from './options.ts';

const POLL_MS = 3_000;
/** A search is begun again so often while a site is not clean. */
const SEARCH_AGAIN_MS = 30_000;
const DAY_MS = 24 * 3_600_000;
/** What is kept elsewhere as it was, and for how long at most: docs/persons.md. */
const KEPT_DAYS = {
  'messages of queues and dead letters': 14,
  'point-in-time copies of DynamoDB': 35,
  'continuous backup of Cosmos DB': 7,
  'bytes of objects in storage, with their earlier versions': 100,
} as const;

interface PersonOptions extends CommonOptions {
  readonly subject: string;
}

export interface EraseOptions extends PersonOptions {
  readonly why: string;
  readonly by: string;
  readonly wait: boolean;
  readonly report: string | undefined;
  readonly sign: string | undefined;
  readonly backupDays: number;
}

/** Everything that sites hold of a person, as one folder. @returns The exit status: 1 when something could not be fetched */
export async function exportPerson(
  { subject, out: folder, ...options }: PersonOptions & { readonly out: string },
  { err, out }: CommandContext,
): Promise<number> {
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0)
    throw new CommandError(`--out: ${folder} is not empty`);
  fs.mkdirSync(path.join(folder, 'contents'), { recursive: true });
  const bySite = new Map<string, readonly PersonRecordView[]>();
  const contents: Fetched[] = [];
  for (const target of findTargets(options)) {
    const { site, records } = await recordsOf(target, subject, (searched) =>
      err(`${target.url}: ${searched} records\r`),
    );
    err('\n');
    bySite.set(site, records);
    fs.writeFileSync(
      path.join(folder, `records.${site}.jsonl`),
      records.map((each) => `${JSON.stringify(each)}\n`).join(''),
    );
    for (const { key, deleted } of records)
      if (!deleted && !contents.some((known) => known.key === key && known.file !== undefined))
        contents.push(...(await fetchContent(target, key, folder)));
  }
  fs.writeFileSync(path.join(folder, 'index.html'), indexOf(subject, bySite, contents));
  const missing = contents.filter(({ file }) => file === undefined);
  const counts = [...bySite].map(([site, records]) => ({ site, records: records.length }));
  if (options.json)
    out(`${JSON.stringify({ sites: counts, contents: contents.length, missing: missing.length })}\n`);
  else {
    for (const { site, records } of counts) out(`${site}: ${records} records\n`);
    out(`${contents.length - missing.length} contents\n${path.join(folder, 'index.html')}\n`);
    for (const { key, why } of missing) out(`not fetched: ${key}: ${why ?? ''}\n`);
  }
  return missing.length > 0 ? 1 : 0;
}

interface Fetched {
  readonly key: string;
  /** Absent: it could not be fetched. */
  readonly file?: string;
  readonly why?: string;
}

/** The bytes of a record that has some, as its owner would get them. */
async function fetchContent({ url }: Target, key: string, folder: string): Promise<readonly Fetched[]> {
  const entity = entities.find(({ name }) => name === entityOf(key));
  if (entity?.content === undefined) return [];
  const token = process.env['TANDEM_TOKEN'];
  const from = new URL(`/${entity.collection}/${encodeURIComponent(idOf(key))}/content`, url);
  const response = await fetch(
    from,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  if (response.status === 404) return [];
  if (!response.ok) {
    await response.body?.cancel();
    return [{ key, why: `HTTP ${response.status}; TANDEM_TOKEN is the token that it is asked with` }];
  }
  const file = path.join('contents', key.replaceAll(/[^A-Za-z0-9._-]/g, '_'));
  fs.writeFileSync(path.join(folder, file), Buffer.from(await response.arrayBuffer()));
  return [{ key, file }];
}

async function recordsOf(
  target: Target,
  subject: string,
  progress: (searched: number) => void = () => undefined,
): Promise<{
  readonly site: string;
  readonly searched: number;
  readonly records: readonly PersonRecordView[];
}> {
  const api = new OperatorApi(target);
  const records: PersonRecordView[] = [];
  let [cursor, searched, site]: [string | undefined, number, string] = [
    undefined,
    0,
    target.site ?? target.url,
  ];
  do {
    const page = await api.personRecords(subject, cursor);
    records.push(...page.records);
    searched += page.searched;
    [cursor, site] = [page.next, page.site];
    progress(searched);
  } while (cursor !== undefined);
  return { site, searched, records };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function indexOf(
  subject: string,
  bySite: ReadonlyMap<string, readonly PersonRecordView[]>,
  contents: readonly Fetched[],
): string {
  const table = (records: readonly PersonRecordView[]): string =>
    records
      .map(
        ({ key, deleted, values }) =>
          `<tr><td>${escaped(key)}${deleted ? ' (deleted)' : ''}</td><td><pre>${escaped(JSON.stringify(values, null, 2))}</pre></td></tr>`,
      )
      .join('');
  const sections = [...bySite].map(
    ([site, records]) =>
      `<h2>${escaped(site)}</h2><p>${records.length} records; <a href="records.${escaped(site)}.jsonl">as JSON Lines</a></p><table>${table(records)}</table>`,
  );
  const files = contents.map(({ key, file, why }) =>
    file === undefined
      ? `<li>${escaped(key)}: not fetched, ${escaped(why ?? '')}</li>`
      : `<li><a href="${escaped(file)}">${escaped(key)}</a></li>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>What is kept of ${escaped(subject)}</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:70rem}td{vertical-align:top;border-top:1px solid #ccc;padding:.3rem .8rem}pre{margin:0;white-space:pre-wrap}</style>
<h1>What is kept of ${escaped(subject)}</h1><p>${new Date().toISOString()}</p>${sections.join('')}<h2>Contents</h2><ul>${files.join('')}</ul></html>
`;
}

/** Erases a person at every site. @returns The exit status: 1 while a site is not clean */
export async function erasePerson(options: EraseOptions, { err, out }: CommandContext): Promise<number> {
  const { subject, why, by, wait, json, report } = options;
  // Before anything is done: a key that cannot be read would be found out when nothing is left to report.
  const key = options.sign === undefined ? undefined : keyIn(options.sign, createPrivateKey);
  const targets = findTargets(options);
  const ask = async (): Promise<ErasureView> => {
    let last: ErasureView | undefined;
    const silent: string[] = [];
    for (const target of targets)
      try {
        last = await new OperatorApi(target).erasePerson({ subject, why, by });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        silent.push(error.message);
      }
    if (last === undefined) throw new CommandError(silent.join('; '));
    for (const line of silent) err(`${line}\n`);
    return last;
  };
  let view = await ask();
  for (let askedMs = Date.now(); wait && !view.ended;) {
    err(`${progressOf(view)}\n`);
    await sleep(POLL_MS);
    if (Date.now() - askedMs > SEARCH_AGAIN_MS) {
      view = await ask();
      askedMs = Date.now();
    } else view = (await found(targets, view.id)) ?? view;
  }
  const sites = [];
  for (const target of targets) {
    const letters = await new OperatorApi(target).personLetters(subject);
    const { site, searched, records } = await recordsOf(target, subject);
    const left = records.filter(({ values }) => Object.keys(values).length > 0).length;
    sites.push({ ...{ site, searched, left, letters }, ...view.sites[site] });
  }
  const statement = {
    version: 1,
    ...{ id: view.id, at: view.at, why: view.why, by: view.by, ended: view.ended },
    sites,
    keptElsewhere: keptUntil(view, options.backupDays),
    statedAt: new Date().toISOString(),
  };
  if (report !== undefined) fs.writeFileSync(report, `${JSON.stringify(signed(statement, key), null, 2)}\n`);
  if (json) out(`${JSON.stringify(statement)}\n`);
  else out(textOf(view, sites));
  return view.ended ? 0 : 1;
}

async function found(targets: readonly Target[], id: string): Promise<ErasureView | undefined> {
  for (const target of targets)
    try {
      const erasures = await new OperatorApi(target).erasures();
      return erasures.find((each) => each.id === id);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  return undefined;
}

function progressOf({ sites }: ErasureView): string {
  return Object.entries(sites)
    .map(([site, { state, erased = 0, emptied = 0, waiting = 0, pending = 0 }]) => {
      const open = `${waiting > 0 ? `, ${waiting} still needed` : ''}${pending > 0 ? `, ${pending} not yet everywhere` : ''}`;
      return `${site}: ${state}, ${erased + emptied} records${open}`;
    })
    .join('; ');
}

interface SiteStatement {
  readonly site: string;
  readonly searched: number;
  readonly left: number;
  readonly letters: { readonly discarded: number };
}

function textOf(view: ErasureView, sites: readonly SiteStatement[]): string {
  const rows = sites.map(({ site, searched, left, letters }) => {
    const { state = 'not begun', erased = 0, emptied = 0, entries = 0 } = view.sites[site] ?? {};
    return [site, state, erased, emptied, entries, letters.discarded, `${left} of ${searched}`].map(String);
  });
  const head = ['site', 'state', 'erased', 'emptied', 'conflicts', 'dead letters', 'left'];
  return `${aligned([head, ...rows]).join('\n')}\n${view.ended ? 'Every site is clean.' : 'Not every site is clean yet: the sites go on by themselves, every hour; this command goes on at once.'}\n`;
}

/** What may still hold it as it was, and until when at the latest. */
function keptUntil({ at }: ErasureView, backupDays: number): Readonly<Record<string, string>> {
  const days = { ...KEPT_DAYS, 'archives in the other cloud': backupDays };
  return Object.fromEntries(
    Object.entries(days).map(([what, count]) => [
      what,
      new Date(Date.parse(at) + count * DAY_MS).toISOString(),
    ]),
  );
}

/** With a signature by Ed25519 (RFC 8032) over the canonical JSON of the statement (RFC 8785). */
function signed(statement: object, key: ReturnType<typeof createPrivateKey> | undefined): object {
  if (key === undefined) return { statement };
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return { statement, publicKey, signature: sign(null, textToSign(statement), key).toString('base64') };
}

function textToSign(statement: object): Buffer {
  return Buffer.from(canonicalJson(JSON.parse(JSON.stringify(statement)) as Json));
}

/** Checks a report by the key of who signed it, and asks nobody. @returns The exit status: 1 when it is not what was signed */
export function checkReport(
  { file, key }: { readonly file: string; readonly key: string },
  { out }: Pick<CommandContext, 'out'>,
): number {
  const { statement, signature } = readReport(file);
  const isWhole =
    statement !== undefined &&
    signature !== undefined &&
    verify(null, textToSign(statement), keyIn(key, createPublicKey), Buffer.from(signature, 'base64'));
  out(isWhole ? `${file}: as it was signed\n` : `${file}: not what was signed by this key\n`);
  return isWhole ? 0 : 1;
}

/** @throws CommandError naming the file */
function readReport(file: string): { readonly statement?: object; readonly signature?: string } {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as { statement?: object; signature?: string };
  } catch (cause) {
    throw new CommandError(`${file} is no report: ${(cause as Error).message}`, { cause });
  }
}

/** @throws CommandError naming the file */
function keyIn<Key>(file: string, read: (pem: Buffer) => Key): Key {
  try {
    return read(fs.readFileSync(file));
  } catch (cause) {
    throw new CommandError(`${file} is no key in PEM: ${(cause as Error).message}`, { cause });
  }
}

/** Erasures, and how far each site is. Returns the exit status, 0. */
export async function listErasures(options: CommonOptions, { out }: CommandContext): Promise<number> {
  const [first] = findTargets(options);
  if (first === undefined) return 0;
  const erasures = await new OperatorApi(first).erasures();
  if (options.json) for (const each of erasures) out(`${JSON.stringify(each)}\n`);
  else if (erasures.length === 0) out('Nobody was erased.\n');
  else
    for (const each of erasures)
      out(`${each.at}  ${each.id.slice(0, 16)}  ${each.why}\n    ${progressOf(each)}\n`);
  return 0;
}
