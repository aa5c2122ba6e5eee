/**
 * What examples/bookings/README.md tells people to do, done: its own lines, against a stack that runs, on other ports. It is
 * a declared reaction in the deployed `react` function, at both clouds' hosts.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pauseCacheMs } from '../../src/shared/bounds.ts';
import { Debugger } from '../helpers/debugger.ts';
import { type CopiedStack, startCopiedStack } from '../helpers/project-copy.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const EXAMPLE = 'examples/bookings/booking.ts';
const PAGE = fs.readFileSync(path.join(import.meta.dirname, '../../examples/bookings/README.md'), 'utf8');
/** A list by an index is there about a minute after the file: an index is filled at a site, then asked about at the other. */
const WITHIN_MS = 240_000;
const TEST_MS = 300_000;
const MAILED = /"mailedAt":"([^"]+)"/;

/** From 1: where the mail is sent. */
const LINE_OF_RUN =
  fs
    .readFileSync(path.join(import.meta.dirname, '../..', EXAMPLE), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes('services.http.json')) + 1;

/** The lines of each block, whole. */
const BLOCKS = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .trim()
    .split('\n'),
);

interface Sent {
  readonly key: string;
  readonly mail: { readonly to: string; readonly subject: string };
  readonly calls: number;
}

let copy: CopiedStack;
let provider: ChildProcess | undefined;
let mails: string;
/** What a person has in `$BOOKING`. */
let booking = '';

beforeAll(async () => {
  copy = await startCopiedStack('--inspect', '--types', 'off');
  provider = spawn(process.execPath, ['examples/bookings/mail-provider.ts', '0'], { cwd: copy.dir });
  let output = '';
  provider.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  mails = await waitUntil('the provider', () => /^mails: (\S+)$/m.exec(output)?.[1]);
  copy.edit(EXAMPLE, 'http://127.0.0.1:8025/mails', mails);
});

afterAll(async () => {
  // Without it the stack has not come up; a rejection that nobody waits for would end the worker, and with it the run.
  if (provider === undefined) return;
  const closed = once(provider, 'close');
  provider.kill('SIGTERM');
  await closed;
  await copy.stop();
});

const site = (cloud: string): string => copy.stack.sites.find((each) => each.cloud === cloud)?.url ?? '';

/** A line as it is typed where the ports are others, and npm is this Node. */
async function type(line = ''): Promise<string> {
  const here = line
    .replaceAll('http://127.0.0.1:3000', site('aws'))
    .replaceAll('http://127.0.0.1:7071', site('azure'))
    .replaceAll('http://127.0.0.1:8025/mails', mails)
    .replace('npm run tandem --', `'${process.execPath}' scripts/tandem.ts`)
    .replace('curl -i', 'curl -sS -i');
  const { stdout } = await promisify(execFile)('sh', ['-c', here], {
    cwd: copy.dir,
    env: { ...process.env, BOOKING: booking },
  });
  return stdout;
}

async function typeUntil(line: string | undefined, expected: RegExp): Promise<string> {
  let output = '';
  const sample = async (): Promise<string | undefined> => {
    output = await type(line);
    return expected.test(output) ? output : undefined;
  };
  return waitUntil(`${line}: ${expected}`, sample, WITHIN_MS).catch((cause: unknown) => {
    throw new Error(`it prints: ${output}`, { cause });
  });
}

async function request(): Promise<void> {
  const reply = await type(BLOCKS[2]?.[0]);
  expect(reply).toMatch(/ 201 [^]*"status":"requested"/);
  booking = /"bookingId":"([^"]+)"/.exec(reply)?.[1] ?? '';
}

/** Takes effect when what each bridge read of pauses before is no longer used. */
async function bothWays(command: 'pause' | 'resume'): Promise<void> {
  const [one, other] = copy.stack.sites.map(({ site: name }) => name);
  for (const way of [`${one} ${other}`, `${other} ${one}`]) await type(`npm run tandem -- ${command} ${way}`);
  const untilMs = performance.now() + pauseCacheMs;
  await waitUntil('it is heeded', () => performance.now() > untilMs || undefined);
}

const sent = async (): Promise<Sent[]> => (await (await fetch(mails)).json()) as Sent[];

test('the page has the lines that are typed here', () => {
  expect(BLOCKS.map((lines) => lines.length)).toEqual([1, 1, 1, 1, 3, 2, 2, 1]);
});

test(
  'the file is copied, and both sites serve it',
  async () => {
    await type(BLOCKS[1]?.[0]);
    for (const cloud of ['aws', 'azure'])
      await waitUntil(
        `${cloud} serves it`,
        async () => (await fetch(`${site(cloud)}/bookings`)).status === 200 || undefined,
        WITHIN_MS,
      );
  },
  TEST_MS,
);

test(
  'requested at AWS and confirmed at Azure, it is mailed once, and both sites know when',
  async () => {
    await request();
    expect(await typeUntil(BLOCKS[3]?.[0], /^HTTP\/1.1 200 /)).toMatch(/"status":"confirmed"/);

    const [list, atAzure, atAws] = BLOCKS[4] ?? [];
    const there = MAILED.exec(await typeUntil(atAzure, MAILED))?.[1];
    expect(MAILED.exec(await typeUntil(atAws, MAILED))?.[1]).toBe(there);
    expect(await type(list)).toContain('Pottery on Friday is confirmed');
    expect(await sent()).toEqual([
      {
        key: expect.stringMatching(/^mail-v1-/),
        mail: expect.objectContaining({ to: 'hedy@example.com' }),
        calls: 1,
      },
    ]);
  },
  TEST_MS,
);

test(
  'a customer lists what is theirs at the other site, and others see nothing of it',
  async () => {
    const [list, ofAnother] = BLOCKS[5] ?? [];
    expect(await typeUntil(list, /^HTTP\/1.1 200 [^]*"items":\[\{/)).toContain(`"bookingId":"${booking}"`);
    expect(await type(list?.replace('X-Tandem-Owner: hedy', 'X-Tandem-Owner: ada'))).toMatch(/ 400 /);
    expect(await type(ofAnother)).toMatch(/^HTTP\/1.1 404 /);
  },
  TEST_MS,
);

test(
  'what both sites confirm, neither knowing of the other, is mailed once',
  async () => {
    const before = (await sent()).length;
    await request();
    const [confirm = ''] = BLOCKS[3] ?? [];
    const [, atAzure, atAws] = BLOCKS[4] ?? [];
    await typeUntil(atAzure, / 200 /);
    await bothWays('pause');
    expect(await type(confirm)).toMatch(/ 200 /);
    await typeUntil(atAzure, MAILED);
    expect(await type(atAws)).toMatch(/"status":"requested"/);
    expect(await type(confirm.replace(':7071', ':3000'))).toMatch(/ 200 /);
    await typeUntil(atAws, MAILED);
    await bothWays('resume');
    await waitUntil(
      'both sites say the same',
      async () => {
        const [one, other] = await Promise.all([type(atAzure), type(atAws)]);
        return MAILED.exec(one)?.[1] === MAILED.exec(other)?.[1] || undefined;
      },
      WITHIN_MS,
    );
    expect((await sent()).slice(before)).toEqual([expect.objectContaining({ calls: 2 })]);
  },
  TEST_MS,
);

test(
  'a breakpoint in the reaction holds it, in the bridge of the site that confirmed',
  async () => {
    await request();
    const [, atAzure] = BLOCKS[4] ?? [];
    await typeUntil(atAzure, / 200 /);
    const azure = copy.stack.sites.find((each) => each.cloud === 'azure');
    const attached = await Debugger.attach(
      azure?.inspectors?.find(({ part }) => part === 'bridge')?.address ?? '',
    );
    try {
      expect(await attached.breakAt('src/shared/entities/booking.ts', LINE_OF_RUN)).toBeGreaterThan(0);
      expect(await type(BLOCKS[3]?.[0])).toMatch(/ 200 /);
      await attached.pausedOnce();
    } finally {
      attached.close();
    }
    await typeUntil(atAzure, /"mailedAt"/);
    expect(await sent()).toHaveLength(3);
  },
  TEST_MS,
);

test(
  'what is cancelled at one site is not confirmed at the other',
  async () => {
    const [cancel, confirm] = BLOCKS[6] ?? [];
    expect(await type(cancel)).toMatch(/ 200 [^]*"status":"cancelled"/);
    await typeUntil(BLOCKS[4]?.[1], /"status":"cancelled"/);
    expect(await type(confirm)).toMatch(/ 409 [^]*is_cancelled/);
    expect(await sent()).toHaveLength(3);
  },
  TEST_MS,
);

test(
  'nothing is due and nothing is parked',
  async () => {
    const none = /: 0 records with a reaction that is due, 0 with a parked one$/gm;
    await waitUntil(
      'both sites say so',
      async () => (await type(BLOCKS[7]?.[0])).match(none)?.length === 2 || undefined,
      WITHIN_MS,
    );
  },
  TEST_MS,
);
