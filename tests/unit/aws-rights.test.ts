/** What functions ask of the store against what their roles may: no stand-in refuses a call for want of a right. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { pendingView } from '../../src/shared/pending-view.ts';
import type { Store } from '../../src/shared/ports/store.ts';
import { beginBurial } from '../../src/shared/replication/anti-entropy/bury.ts';
import { backfillKeys } from '../../src/shared/replication/anti-entropy/backfill.ts';
import { begin } from '../../src/shared/replication/anti-entropy/compare.ts';
import { TestSite } from '../helpers/test-site.ts';

interface Role {
  readonly Properties: {
    readonly Policies: readonly {
      readonly PolicyDocument: { readonly Statement: readonly { readonly Action: readonly string[] }[] };
    }[];
  };
}
const file = fs.readFileSync(path.join(import.meta.dirname, '../../infra/aws/roles.yml'), 'utf8');
const { Resources } = parse(file, { merge: true }) as { readonly Resources: Record<string, Role> };

/** src/shared/adapters/aws/store.ts */
const ACTIONS: Partial<Record<keyof Store, string>> = {
  get: 'dynamodb:GetItem',
  getMany: 'dynamodb:BatchGetItem',
  list: 'dynamodb:Query',
  exposure: 'dynamodb:Query',
  putMany: 'dynamodb:PutItem',
  scan: 'dynamodb:Scan',
};

const SITE = 'aws-us-east-1';
const ITEM = 'item:1';
const job = { id: 'a', from: SITE, to: 'azure-eastus', atMs: 0, repair: true } as const;

describe('a role allows what its function asks of the store', () => {
  test.each<[string, (site: TestSite) => Promise<unknown>]>([
    ['HealthRole', ({ store }) => store.getMany(backfillKeys({ site: SITE, peers: [job.to] }))],
    [
      'ItemsRole',
      async (site) => {
        const replica = site.replica();
        await site.write(ITEM, { n: 1 });
        await replica.read(ITEM);
        await replica.read(ITEM, [{ key: ITEM, vector: {} }]);
        await replica.list('item', { after: undefined, limit: 1 });
      },
    ],
    ['OperationsRole', ({ site, store }) => pendingView(site, store, 1)],
    [
      'VerifyHourlyRole',
      async (site) => {
        await site.run(begin(site.site, job));
        await site.run(beginBurial(site.site));
      },
    ],
  ])('%s', async (role, ask) => {
    const site = new TestSite(SITE);
    const asked = new Set<keyof Store>();
    site.store.before = (operation) => asked.add(operation);
    await ask(site);
    const allowed = Resources[role]?.Properties.Policies.flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    expect(asked.size).toBeGreaterThan(0);
    expect([...asked].filter((operation) => !allowed?.includes(ACTIONS[operation] ?? operation))).toEqual([]);
  });
});
