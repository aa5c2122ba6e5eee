/**
 * `npm run bench -- objects`: what a site fetches after its peer has taken uploads without it, against a bare copy with the
 * same SDKs between the same storages; how long until both hold an upload; and the memory of who fetches, by size.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claim, type Content } from '@tandem-clouds/replication/objects/content';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { partsOf, plainValues } from '@tandem-clouds/replication/record';
import { stampMs } from '@tandem-clouds/replication/stamp';
import { bodyOf, sumOf } from '@tandem-clouds/testkit/chaos/objects/body';
import { ask } from '@tandem-clouds/testkit/chaos/objects/uploads';
import type { Endpoint } from '@tandem-clouds/testkit/cluster/request';
import { TestCluster } from '@tandem-clouds/testkit/cluster/test-cluster';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { transferBodiesAtOnce } from '../../src/shared/bounds.ts';
import { BareCopy, type BareStorages } from './objects/bare.ts';
import type { BareTask } from './objects/bare-main.ts';
import { lanes } from './objects/lanes.ts';
import { ROOT } from './service-bundles.ts';

const SITES = ['aws-us-east-1', 'azure-eastus'] as const;
const HELD_WITHIN_MS = 600_000;
const POLL_MS = 100;
const UPLOADS_AT_ONCE = 4;
const MB = 1_000_000;
const MIB = 1024 * 1024;

interface Options {
  readonly objects: number;
  readonly bytes: number;
  readonly rate: number;
  readonly seconds: number;
  readonly largestMiB: number;
}

type Progress = (line: string) => void;

async function measure(options: Options, progress: Progress): Promise<Findings> {
  const cluster = await TestCluster.open(SITES);
  try {
    const figures = [
      ...(await backlog(cluster, options, progress)),
      ...(await untilHeld(cluster, options, progress)),
      ...(await memory(cluster, options, progress)),
    ];
    return {
      figures,
      notes: [
        'backlog: the site on Azure was away while the uploads were made; its rate is counted from its first claim to its ' +
          'last, by the stamps of the claims, and holds the records that are written for each, the messages that wake and ' +
          'that make its claim cross, and the applying of that at the other site',
        `bare: GET by the SDK of S3 and PUT by that of Blob Storage between the same two emulators, by the same relay, as many ` +
          `bodies side by side (${transferBodiesAtOnce}) in one new process, counted from the first copy to the last; nothing is ` +
          'compared, and there are no records or queues',
        'processor time: of all processes of both sites, of the relay and of who copies, while objects come one after the other',
        'clients, functions and emulators share this machine',
      ],
    };
  } finally {
    await cluster.close();
  }
}

/** What the other site fetches when it is back, and the same bytes copied bare, alternately by size. */
async function backlog(
  cluster: TestCluster,
  { objects, bytes }: Options,
  progress: Progress,
): Promise<Figure[]> {
  const [aws, azure] = SITES;
  const { region, endpoints } = cluster.site(aws);
  const direct = {
    region,
    s3Url: endpoints['s3'] ?? '',
    blobUrl: cluster.site(azure).endpoints['blob'] ?? '',
  };
  const bare = new BareCopy(direct);
  const storages = { ...direct, s3Url: cluster.objectsUrl(azure, aws) };
  const figures: Figure[] = [];
  try {
    for (const [size, count] of [
      [bytes, objects],
      [4_096, objects],
    ] as const) {
      progress(`${count} uploads of ${size} bytes to AWS, while Azure is away`);
      const back = cluster.takeAway(azure);
      const ids: string[] = [];
      const keys = Array.from({ length: count }, (_, at) => `bare/${size}/${at}`);
      await lanes(count, UPLOADS_AT_ONCE, async (at) => {
        ids[at] = await uploaded(endpointOf(cluster, aws), `backlog/${size}/${at}`, bodyOf(at, size));
        await bare.put(keys[at] ?? '', bodyOf(at, size));
      });
      back();
      progress('Azure is back');
      const before = cluster.fetchedBy(azure);
      const held = [await heldAtMs(cluster, azure, ids[0] ?? '', azure)];
      const [spent, fromMs] = [processorTime(cluster), Date.now()];
      // One after the other: who measures takes as little as it can of what is measured.
      for (const id of ids.slice(1)) held.push(await heldAtMs(cluster, azure, id, azure));
      const oursCpuMs = spent() / held.filter((atMs) => atMs > fromMs).length;
      const crossed = cluster.fetchedBy(azure) - before;
      const copied = await copiedBare(cluster, storages, keys);
      const [ours, theirs] = [rateOf(held), rateOf(copied.atMs)];
      const what = `of ${size} bytes`;
      figures.push(
        figure(`objects ${what} fetched a second`, ours, ''),
        figure(`MB a second, objects ${what}`, (ours * size) / MB, ''),
        figure(`processor time of a fetched object ${what}`, oursCpuMs, 'ms'),
        figure(
          `bytes that crossed, against those uploaded, ${what}`,
          crossed / (count * size),
          '×',
          size === bytes ? { atMost: 1.02 } : undefined,
        ),
        figure(`objects ${what} copied bare a second`, theirs, ''),
        figure(`processor time of a bare copy ${what}`, copied.cpuMs / count, 'ms'),
        figure(
          `against the bare copy, ${what}`,
          ours / theirs,
          '×',
          size === bytes ? { atLeast: 0.8 } : undefined,
        ),
      );
    }
    return figures;
  } finally {
    bare.close();
  }
}

/** From the first to the last, a second. */
function rateOf(atMs: readonly number[]): number {
  return (atMs.length - 1) / ((Math.max(...atMs) - Math.min(...atMs)) / 1_000);
}

/** By a process of its own. */
async function copiedBare(
  cluster: TestCluster,
  storages: BareStorages,
  keys: readonly string[],
): Promise<{ readonly atMs: readonly number[]; readonly cpuMs: number }> {
  const child = fork(path.join(import.meta.dirname, 'objects/bare-main.ts'));
  const spent = processorTime(cluster, child.pid);
  const ended = once(child, 'exit');
  const task: BareTask = { storages, keys, atOnce: transferBodiesAtOnce };
  child.send(task);
  const [answer] = (await Promise.race([
    once(child, 'message'),
    ended.then(([status]) => {
      throw new Error(`the bare copy has ended with ${String(status)}`);
    }),
  ])) as [readonly number[]];
  const cpuMs = spent();
  await ended;
  return { atMs: answer, cpuMs };
}

/** Starts to count; the result says how many milliseconds of a processor it has been since, at all sites and here. */
function processorTime(cluster: TestCluster, ...others: readonly (number | undefined)[]): () => number {
  const used = (): Map<number, number> => {
    const ofSites = cluster.describe().sites.flatMap((site) => [site.pid, site.bridgePid, site.emulatorsPid]);
    const pids = [process.pid, ...ofSites, ...others].filter((pid) => typeof pid === 'number');
    return new Map(pids.map((pid) => [pid, processorMsOf(pid)]));
  };
  const before = used();
  return () => [...used()].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
}

/** Since it began: `utime` and `stime` of proc_pid_stat(5), in hundredths of a second. */
function processorMsOf(pid: number): number {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** At a steady rate, at both sites at once. */
async function untilHeld(
  cluster: TestCluster,
  { rate, seconds }: Options,
  progress: Progress,
): Promise<Figure[]> {
  progress(`${rate} uploads of 100 kB a second at each site, for ${seconds} s`);
  const lags: number[] = [];
  const watching: Promise<void>[] = [];
  const load = SITES.map(async (site, which) => {
    const other = SITES[1 - which] ?? site;
    const beganMs = performance.now();
    for (let at = 0; at < rate * seconds; at += 1) {
      await sleep(Math.max(0, beganMs + (at * 1_000) / rate - performance.now()));
      const id = await uploaded(endpointOf(cluster, site), `lag/${site}/${at}`, bodyOf(at, 100_000));
      const doneMs = Date.now();
      watching.push(heldAtMs(cluster, site, id, other).then((atMs) => void lags.push(atMs - doneMs)));
    }
  });
  await Promise.all(load);
  await Promise.all(watching);
  lags.sort((a, b) => a - b);
  const at = (share: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0;
  return [
    figure('from the acknowledgement until both hold it, p50', at(0.5), 'ms'),
    figure('from the acknowledgement until both hold it, p99', at(0.99), 'ms'),
  ];
}

/** The most memory that the functions of the fetching site take, by the size of what they fetch. */
async function memory(cluster: TestCluster, { largestMiB }: Options, progress: Progress): Promise<Figure[]> {
  const [aws, azure] = SITES;
  const peaks: [number, number][] = [];
  for (const mib of [1, 64, largestMiB]) {
    progress(`one upload of ${mib} MiB`);
    const stop = new AbortController();
    const peak = peakOf(cluster.site(azure).bridgePid, stop.signal);
    const id = await uploaded(endpointOf(cluster, aws), `memory/${mib}`, bodyOf(mib, mib * MIB));
    const beganMs = Date.now();
    const tookMs = (await heldAtMs(cluster, azure, id, azure)) - beganMs;
    stop.abort();
    peaks.push([mib, await peak]);
    progress(`held after ${Math.round(tookMs)} ms`);
  }
  const [[, least] = [0, 1]] = peaks;
  const [, most] = peaks.at(-1) ?? [0, 1];
  return [
    ...peaks.map(([mib, peak]) =>
      figure(`memory of the functions while ${mib} MiB are fetched`, peak / MIB, 'MiB'),
    ),
    figure(`memory, ${largestMiB} MiB against 1 MiB`, most / least, '×', { atMost: 2 }),
  ];
}

/** @throws Error when it is not acknowledged @returns The id of its record */
async function uploaded(site: Endpoint, name: string, body: Buffer): Promise<string> {
  const upload = { contentType: 'application/octet-stream', ...sumOf(body) };
  const announced = await ask(site, 'POST', '/objects', { body: { name, upload } });
  if (announced.status >= 300)
    throw new Error(`${name}: ${announced.status} ${JSON.stringify(announced.body)}`);
  const { id, upload: sent } = announced.body as {
    id: string;
    upload: { id: string; url: string; headers: Record<string, string> };
  };
  const { 'content-length': _, ...headers } = sent.headers;
  const put = await fetch(sent.url, { method: 'PUT', headers, body: new Uint8Array(body) });
  if (!put.ok) throw new Error(`${name}: the storage answered ${put.status} ${await put.text()}`);
  const done = await ask(site, 'POST', `/objects/${id}/complete`, { body: { upload: sent.id } });
  if (done.status !== 200) throw new Error(`${name}: ${done.status} ${JSON.stringify(done.body)}`);
  return id;
}

/** When a site claimed the content of a record, by the stamp of its claim, as another site's store has it. */
async function heldAtMs(cluster: TestCluster, at: string, id: string, by: string): Promise<number> {
  const deadline = performance.now() + HELD_WITHIN_MS;
  while (performance.now() < deadline) {
    const record = await cluster
      .store(at)
      .get(`object:${id}`)
      .then((held) => held?.record)
      .catch(() => undefined);
    const stamp = record && claimOf(record, by);
    if (stamp !== undefined) return stampMs(stamp);
    await sleep(POLL_MS);
  }
  throw new Error(`${id} was not held by ${by} within ${HELD_WITHIN_MS} ms`);
}

function claimOf({ state }: StoredRecord, by: string): string | undefined {
  const content = plainValues(state)['content'] as unknown as Content | null;
  if (content === null) return undefined;
  const slots = Object.values(partsOf(state, 'heldBy').set ?? {});
  return slots.find(([, element]) => element === claim(content.upload, by))?.[0];
}

/** Resident memory at its most, bytes. */
async function peakOf(pid: number | null, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    const [, pages = '0'] = fs.readFileSync(`/proc/${String(pid)}/statm`, 'utf8').split(' ');
    peak = Math.max(peak, Number(pages) * 4_096);
    await sleep(50);
  }
  return peak;
}

function endpointOf(cluster: TestCluster, site: string): Endpoint {
  return { name: site, url: cluster.site(site).url };
}

/** Returns the exit status. @param input.size Bytes. @param input.largest MiB. */
export async function benchObjects(input: {
  readonly objects: number;
  readonly size: number;
  readonly rate: number;
  readonly seconds: number;
  readonly largest: number;
  readonly json: boolean;
}): Promise<number> {
  const { objects, size, rate, seconds, largest, json } = input;
  const title = `Objects: ${objects} of ${size} bytes, and one of ${largest} MiB`;
  return report({ title, json, command: commandLine(process.argv, ROOT) }, (progress) =>
    measure({ objects, bytes: size, rate, seconds, largestMiB: largest }, progress),
  );
}
