/**
 * `npm run bench -- objects`: what a site fetches after its peer has taken uploads without it, against a bare copy with the
 * same SDKs between the same storages; how long until both hold an upload; and the memory of who fetches, by size.
 */
import fs from 'node:fs';
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
import { BareCopy } from './objects/bare.ts';
import { ROOT } from './service-bundles.ts';

const SITES = ['aws-us-east-1', 'azure-eastus'] as const;
const HELD_WITHIN_MS = 600_000;
const POLL_MS = 100;
/** As many as the function fetches side by side. */
const AT_ONCE = 4;
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
          'last, by the stamps of the claims, and holds the record that is written for each, and what makes it cross',
        `bare: GET by the SDK of S3 and PUT by that of Blob Storage between the same two emulators, ${AT_ONCE} side by side, in one ` +
          'process, without checksums, records or queues',
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
  const bare = new BareCopy(cluster.site(aws), cluster.site(azure));
  const figures: Figure[] = [];
  try {
    for (const [size, count] of [
      [bytes, objects],
      [4_096, objects],
    ] as const) {
      progress(`${count} uploads of ${size} bytes to AWS, while Azure is away`);
      const back = cluster.takeAway(azure);
      const ids: string[] = [];
      await lanes(count, AT_ONCE, async (at) => {
        ids[at] = await uploaded(endpointOf(cluster, aws), `backlog/${size}/${at}`, bodyOf(at, size));
        await bare.put(`bare/${size}/${at}`, bodyOf(at, size));
      });
      back();
      progress('Azure is back');
      const before = cluster.fetchedBy(azure);
      const held = (await Promise.all(ids.map((id) => heldAtMs(cluster, azure, id, azure)))).sort(
        (a, b) => a - b,
      );
      const ours = (count - 1) / (((held.at(-1) ?? 0) - (held[0] ?? 0)) / 1_000);
      const crossed = cluster.fetchedBy(azure) - before;
      const beganMs = performance.now();
      await lanes(count, AT_ONCE, (at) => bare.copy(`bare/${size}/${at}`));
      const theirs = count / ((performance.now() - beganMs) / 1_000);
      const what = `of ${size} bytes`;
      figures.push(
        figure(`objects ${what} fetched a second`, ours, ''),
        figure(`MB a second, objects ${what}`, (ours * size) / MB, ''),
        figure(
          `bytes that crossed, against those uploaded, ${what}`,
          crossed / (count * size),
          '×',
          size === bytes ? { atMost: 1.02 } : undefined,
        ),
        figure(`objects ${what} copied bare a second`, theirs, ''),
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

async function lanes(count: number, atOnce: number, run: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await run(at);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
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
