/**
 * Pictures of all shapes, good and bad, sent to both sites under faults; in the end every good one must be served at both in
 * three sizes, from the storage of the site that is asked, and every bad one refused at both with its reason.
 */
import { variantKey } from '../../../../../src/shared/domain/content.ts';
import { recordIdOf } from '../../../../../src/shared/domain/entity.ts';
import { THUMBNAILS } from '../../../../../src/shared/domain/pictures/thumbnails.ts';
import { thumbnail } from '../../../../../src/shared/entities/thumbnail.ts';
import type { Violation } from '../../checkers/judge.ts';
import type { Endpoint } from '../../cluster/request.ts';
import { TestCluster } from '../../cluster/test-cluster.ts';
import type { Finding } from '../../history/facts.ts';
import { workInLanes } from '../lanes.ts';
import { mapped } from '../mapped.ts';
import type { InjectedFaults } from '../nemesis.ts';
import { ask, isHeldBy } from '../objects/uploads.ts';
import { type Episode, makeObjectPlan } from '../plan.ts';
import { type Planned, planned } from '../planned.ts';
import { until } from '../reactions/until.ts';
import type { ChaosOptions } from '../run.ts';
import { PictureClients, type Sent, SKU } from './clients.ts';
import { Samples } from './samples.ts';
import { webpOf } from './webp.ts';

const LANES = 6;
/** After the pauses of attempts in vain. */
const DECIDED_WITHIN_MS = 1_800_000;
const LOOK_AT_ONCE = 16;
const FETCH_WITHIN_MS = 30_000;
const VIOLATIONS_MAX = 50;
/** Pixels, and what is needed to show them. */
const PIXELS: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH']);

export const UNDECIDED = 'pictures without a verdict at both sites';
export const WRONG_VERDICT = 'pictures with another verdict than they deserve';
export const WRONG_THUMBNAIL = 'thumbnails that are missing, of another size, or more than pixels';
export const FROM_ELSEWHERE = 'thumbnails that a site does not serve itself';

export interface PictureChaosResult {
  readonly plan: readonly Episode[];
  readonly injectedFaults: InjectedFaults;
  readonly trafficMs: number;
  readonly sent: readonly Sent[];
  readonly givenUp: number;
  /** After healing until both sites had a verdict on each; undefined: not in time. */
  readonly decidedMs: number | undefined;
  /** Thumbnails that were right, of all sites together. */
  readonly served: number;
  readonly findings: readonly Finding[];
  readonly violations: readonly Violation[];
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runPictureChaos(options: ChaosOptions): Promise<PictureChaosResult> {
  const { progress } = options;
  const run = planned(options, makeObjectPlan);
  progress('starting a stack of its own');
  const samples = await Samples.open();
  const cluster = await TestCluster.open(run.order);
  try {
    return await runIn(cluster, { ...options, ...run, samples });
  } finally {
    samples.close();
    await cluster.close();
  }
}

type Prepared = ChaosOptions & Planned & { readonly samples: Samples };

async function runIn(cluster: TestCluster, options: Prepared): Promise<PictureChaosResult> {
  const { plan, random, samples, writes, progress } = options;
  const sites = cluster.endpoints().filter(({ name }) => name !== 'edge');
  const [site] = sites;
  if (site === undefined) throw new Error('the stack has no site');
  const product = { sku: SKU, name: 'A product of chaos', priceMinor: 100, currency: 'EUR' };
  const made = await ask(site, 'POST', '/products', { body: product });
  if (made.status !== 201) throw new Error(`no product: ${JSON.stringify(made.body)}`);
  const clients = new PictureClients(random.stream('clients'), sites, samples);
  const traffic = await workInLanes(cluster, options, {
    lanes: LANES,
    shown: () => `${clients.sent.length} pictures`,
    goesOn: (started) => clients.sent.length < writes && started < writes * 1.5,
    act: () => clients.send(),
  });
  progress('healing');
  await cluster.heal();
  const { sent, givenUp } = clients;
  const decidedMs = await untilDecided(sites, sent, progress);
  progress(decidedMs === undefined ? 'NOT DECIDED everywhere' : 'decided everywhere; looking at everything');
  const looks = await mapped(
    sent.flatMap((each) => sites.map((at) => ({ each, at }))),
    LOOK_AT_ONCE,
    ({ each, at }) => look(at, each),
  );
  const findings = [
    ...(decidedMs === undefined ? [{ invariant: UNDECIDED, detail: 'see the log of the run' }] : []),
    ...looks.flatMap((each) => each.findings),
    ...fromOneStorage(sent, looks),
  ];
  return {
    plan,
    ...traffic,
    sent,
    givenUp,
    decidedMs,
    served: looks.reduce((sum, { origins }) => sum + origins.length, 0),
    findings,
    violations: findings.slice(0, VIOLATIONS_MAX).map((each) => ({ ...each, log: [], states: {} })),
  };
}

/** Until each site says of each picture what became of it, and can show what is to be shown. */
async function untilDecided(
  sites: readonly Endpoint[],
  sent: readonly Sent[],
  progress: (line: string) => void,
): Promise<number | undefined> {
  let open = sites.flatMap((site) => sent.map((each) => ({ site, each })));
  return until(
    async () => {
      const looked = await mapped(open, LOOK_AT_ONCE, async (one) =>
        (await isDecided(one.site, one.each)) ? [] : [one],
      );
      open = looked.flat();
      const [first] = open;
      return (
        first &&
        `${open.length} to be decided, as ${first.each.id} (${first.each.what}) at ${first.site.name}`
      );
    },
    { withinMs: DECIDED_WITHIN_MS, progress },
  );
}

async function isDecided(site: Endpoint, { id }: Sent): Promise<boolean> {
  const { status, body } = await ask(site, 'GET', `/pictures/${id}`).catch(() => ({ status: 0, body: {} }));
  const { status: verdict } = body as { readonly status?: string };
  if (status !== 200 || (verdict !== 'ready' && verdict !== 'refused')) return false;
  if (verdict === 'refused') return true;
  // Until its bytes have crossed it is sent to the site that has them.
  const shown = await Promise.all(
    THUMBNAILS.map(({ name }) =>
      ask(site, 'GET', `/thumbnails/${recordIdOf(thumbnail, variantKey('thumbnail', id, name))}`).catch(
        () => undefined,
      ),
    ),
  );
  return shown.every((answer) => answer !== undefined && isHeldBy(answer.body, site));
}

interface Look {
  readonly findings: readonly Finding[];
  /** Of the storage that served each thumbnail that was right. */
  readonly origins: readonly string[];
}

/** What a site shows of a picture, beside what it should. */
async function look(site: Endpoint, { id, what, seed, expected }: Sent): Promise<Look> {
  const said = `${site.name}, ${what} (sample ${seed})`;
  const { body } = await ask(site, 'GET', `/pictures/${id}`);
  const verdict = body as { status?: string; reason?: string; width?: number; height?: number };
  const isRight =
    expected.kind === 'ready'
      ? verdict.status === 'ready' && verdict.width === expected.width && verdict.height === expected.height
      : verdict.status === 'refused' && verdict.reason === expected.reason;
  const wrong = (invariant: string, detail: string): Finding => ({
    invariant,
    key: id,
    detail: `${said}: ${detail}`,
  });
  if (!isRight)
    return {
      origins: [],
      findings: [wrong(WRONG_VERDICT, JSON.stringify({ expected, ...verdict }).slice(0, 300))],
    };
  const shown = await Promise.all(
    THUMBNAILS.map(async ({ name, sidePixels }): Promise<{ origin: string } | { finding: Finding }> => {
      const answer = await ask(site, 'GET', `/pictures/${id}/${name}`);
      if (expected.kind === 'refused')
        return answer.status === 404 && answer.body['code'] === 'refused'
          ? { origin: '' }
          : { finding: wrong(WRONG_THUMBNAIL, `${name} of a refused picture is ${answer.status}`) };
      const fault = await faultOf(answer.location, fitting(expected, sidePixels));
      if (fault !== undefined) return { finding: wrong(WRONG_THUMBNAIL, `${name}: ${fault}`) };
      return { origin: new URL(answer.location ?? '').origin };
    }),
  );
  return {
    findings: shown.flatMap((each) => ('finding' in each ? [each.finding] : [])),
    origins: shown.flatMap((each) => ('origin' in each && each.origin !== '' ? [each.origin] : [])),
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Never enlarged. */
function fitting({ width, height }: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, width * scale), height: Math.max(1, height * scale) };
}

/** What is wrong with the thumbnail at an address; undefined: nothing. */
async function faultOf(location: string | undefined, wanted: Size): Promise<string | undefined> {
  if (location === undefined) return 'no redirection';
  const response = await fetch(location, { signal: AbortSignal.timeout(FETCH_WITHIN_MS) });
  const webp = webpOf(new Uint8Array(await response.arrayBuffer()));
  if (response.status !== 200 || webp === undefined) return `the storage answers ${response.status}`;
  if (response.headers.get('content-type') !== 'image/webp')
    return `its type is ${response.headers.get('content-type')}`;
  const other = webp.chunks.filter((chunk) => !PIXELS.has(chunk));
  if (other.length > 0) return `it has ${other.join(', ')}`;
  const isClose = Math.abs(webp.width - wanted.width) <= 1 && Math.abs(webp.height - wanted.height) <= 1;
  return isClose ? undefined : `it is ${webp.width} x ${webp.height}, not ${wanted.width} x ${wanted.height}`;
}

/** Each site serves from a storage of its own: so the two of a picture are never one. */
function fromOneStorage(sent: readonly Sent[], looks: readonly Look[]): readonly Finding[] {
  return sent.flatMap(({ id, what }, index) => {
    const [one, other] = [looks[2 * index]?.origins ?? [], looks[2 * index + 1]?.origins ?? []];
    const shared = one.filter((origin) => other.includes(origin));
    return shared.length === 0
      ? []
      : [{ invariant: FROM_ELSEWHERE, key: id, detail: `${what}: ${shared[0]} serves both sites` }];
  });
}
