/** What operators read of contents of records: `tandem status`, and `tandem objects` against sites on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { directionsOf, withContentRates } from '@tandem-clouds/operator/directions';
import { bytesText, inventoryText } from '@tandem-clouds/operator/inventory-text';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';
import { NO_COUNTS } from '@tandem-clouds/replication/objects/inventory-step';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { toTable } from '../../scripts/operate/table.ts';
import type { ContentView, TallyView } from '../../src/shared/operations/replication-view.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const NOW = '2026-03-01T12:00:00.000Z';
const NOW_MS = Date.parse(NOW);
const NONE: TallyView = { objects: 0, bytes: 0, overdue: 0 };
const later = closeAfterEach();

function view(
  site: string,
  peer: string,
  given: { atRisk?: TallyView; lacking?: TallyView; content?: Partial<ContentView> } = {},
): ReplicationView {
  const { atRisk = NONE, lacking = NONE } = given;
  return {
    site,
    now: NOW,
    peers: [
      {
        site: peer,
        safeTime: NOW,
        exposure: { keys: 0, atLeast: false },
        oldestPendingMs: 0,
        paused: false,
        content: atRisk,
      },
    ],
    inbound: [{ site: peer, heardMsAgo: 100, content: lacking }],
    content: { lacking, atLeast: false, ...given.content },
  };
}

const report = (replication: ReplicationView): SiteReport => ({
  url: '',
  site: replication.site,
  replication,
});

describe('tandem status of contents', () => {
  const waiting = { objects: 3, bytes: 41_200_000, overdue: 1, oldest: NOW };
  const reports = [
    report(view(AWS, AZURE, { atRisk: waiting })),
    report(view(AZURE, AWS, { lacking: { ...waiting, objects: 2 } })),
  ];

  test('says per direction what is on its way, and what is overdue', () => {
    const text = toTable(directionsOf(reports), reports, false);
    const [heading, aws, azure] = text.split('\n');
    expect(heading).toMatch(/dead letters {2}objects on their way$/);
    expect(aws).toMatch(/ 3, 41\.2 MB$/);
    expect(azure).toMatch(/ 0$/);
    expect(text).toContain(
      ' 3 objects (41.2 MB) of aws-us-east-1 are on the way to azure-eastus, 1 of them overdue.\n',
    );
  });

  test('goes by the site that lacks them where the other does not answer', () => {
    const silent = [{ url: 'http://a', site: AWS, problem: 'no answer' }, reports[1]!];
    expect(directionsOf(silent)[0]).toMatchObject({ from: AWS, to: AZURE, content: { objects: 2 } });
  });

  test('says how fast they become fewer between two looks, and when it will be done', () => {
    const before = directionsOf([report(view(AWS, AZURE, { atRisk: { ...waiting, bytes: 43_200_000 } }))]);
    const now = directionsOf(reports.slice(0, 1));
    const rated = withContentRates(now, { directions: before, atMs: NOW_MS - 2_000 }, NOW_MS);
    expect(rated[0]?.contentRate).toEqual({
      bytesPerSecond: 1_000_000,
      overMs: 2_000,
      doneAt: '2026-03-01T12:00:41.200Z',
    });
    expect(toTable(rated, reports, false)).toContain(
      '1 of them overdue; less by 1.0 MB a second over 2.0 s, done about 2026-03-01T12:00:41.200Z.',
    );
    const still = withContentRates(now, { directions: now, atMs: NOW_MS - 1_000 }, NOW_MS);
    expect(toTable(still, reports, false)).toContain('they have not become less over 1.0 s.');
    const most = now.map((each) => ({ ...each, content: { ...each.content!, atLeast: true } }));
    expect(withContentRates(most, { directions: before, atMs: 0 }, NOW_MS)[0]).not.toHaveProperty(
      'contentRate',
    );
  });

  test('says what no site has, and what the latest inventory has found', () => {
    const inventory = { begunAt: NOW, endedAt: NOW, read: false, ...NO_COUNTS, checked: 7, bytes: 900 };
    const lost = report(
      view(AWS, AZURE, { content: { nowhere: { ...NONE, objects: 1, bytes: 5 }, inventory } }),
    );
    const text = toTable(directionsOf([lost]), [lost], false);
    expect(text).toContain('1 object (5 bytes) that aws-us-east-1 is to have is at no site that is known.\n');
    expect(text).toContain(`Inventory of aws-us-east-1 of ${NOW}: 7 objects (900 bytes): all there.\n`);
  });

  test('has no column where no entity has content', () => {
    const { content: _, ...bare } = view(AWS, AZURE);
    const without = report({
      ...bare,
      peers: bare.peers.map(({ content: __, ...peer }) => peer),
      inbound: bare.inbound.map(({ content: __, ...peer }) => peer),
    });
    expect(toTable(directionsOf([without]), [without], false)).not.toContain('objects');
  });
});

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1.0 kB'],
  [99_600, '100 kB'],
  [999_600, '1.0 MB'],
  [5_242_880_000, '5.2 GB'],
  [3e15, '3000 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test('an inventory says all that it has found and done', () => {
  const counts = {
    ...{ checked: 9, bytes: 9_000, missing: 2, corrupt: 1, lost: 1, unused: 3, unusedBytes: 30, removed: 2 },
    ...{ removedBytes: 20, strange: 1, abandoned: 4, corrected: 5 },
  };
  expect(inventoryText(AWS, { begunAt: NOW, read: true, ...counts })).toBe(
    `Inventory of aws-us-east-1 goes on since ${NOW}: 9 objects (9.0 kB), all bytes read: 2 missing, 1 corrupt; ` +
      '1 of them at no other site; 2 unused ones removed (20 bytes); 1 unused ones kept for now (10 bytes); ' +
      '1 strange names; 4 records without content deleted; the usage of 5 owners or tenants put right.',
  );
});

describe('tandem objects', () => {
  /** A site whose inventory ends when it is asked for the second time. */
  async function startSite(site: string, found: object): Promise<{ url: string; begun: unknown[] }> {
    const begun: unknown[] = [];
    let asked = 0;
    const inventory = { id: 'i1', site, begunAt: NOW, read: false, examples: ['object:1'], ...NO_COUNTS };
    const reply = (path: string): [number, unknown] => {
      if (path === '/replication') return [200, view(site, 'peer')];
      if (path.startsWith('/replication/contents/'))
        return [200, { site, key: decodeURIComponent(path.slice(22)), exists: true, ...found }];
      if (path !== '/replication/inventories') return [404, {}];
      asked += 1;
      const ended = asked > 2 ? { ...found, endedAt: NOW } : {};
      return [
        asked === 1 ? 202 : 200,
        asked === 1 ? inventory : { site, inventories: [{ ...inventory, ...ended }] },
      ];
    };
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (body !== '') begun.push(JSON.parse(body));
        const [status, value] = reply(request.url ?? '');
        response.writeHead(status).end(JSON.stringify(value));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begun };
  }

  async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    process.env['TANDEM_OPERATOR_KEY'] = 'key';
    let [out, err] = ['', ''];
    const code = await runProgram(PROGRAM, ['objects', ...args], {
      out: (text) => (out += text),
      err: (text) => (err += text),
      isTerminal: false,
      colour: false,
      signal: new AbortController().signal,
    });
    Reflect.deleteProperty(process.env, 'TANDEM_OPERATOR_KEY');
    return { code, out, err };
  }

  test('check asks each site for an inventory, follows it, and fails when something was wrong', async () => {
    const aws = await startSite(AWS, { checked: 2, missing: 1 });
    const { code, out, err } = await run('check', '--read', '--site', aws.url);
    expect(aws.begun).toEqual([{ read: true }]);
    expect(err).toContain('aws-us-east-1: 0 objects (0 bytes) checked\n');
    expect(out).toContain(
      '2 objects (0 bytes): 1 missing, 0 corrupt; all of them are fetched from another site.',
    );
    expect(out).toContain('\n  object:1\n');
    expect(code).toBe(1);
  });

  test('show says what each site knows of one object', async () => {
    const content = {
      ...{ upload: `${AWS}.1`, bytes: 5, crc64: '', contentType: 'text/plain', completedAt: NOW },
      ...{ heldBy: [AWS], lackedBy: [AZURE], dueBy: NOW },
    };
    const [aws, azure] = [
      await startSite(AWS, { content }),
      await startSite(AZURE, { content, fetching: { attempts: 2, detail: 'no answer' } }),
    ];
    const { code, out } = await run('show', '7', '--site', aws.url, '--site', azure.url);
    expect(out).toContain(
      `aws-us-east-1: aws-us-east-1.1, 5 bytes of text/plain, completed ${NOW}; held by aws-us-east-1, not yet by azure-eastus (due by ${NOW})\n`,
    );
    expect(out).toContain('  2 attempts to fetch it here: no answer\n');
    expect(code).toBe(1);
  });
});
