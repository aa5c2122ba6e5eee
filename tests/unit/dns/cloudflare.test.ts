/** What is Cloudflare's alone, against its emulator. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CloudflareServer, refusal } from '@tandem-clouds/emulators/cloudflare/server';
import {
  type Bench,
  cloudflareBench,
  localBench,
  policyText,
  route53Bench,
} from '../../helpers/dns/fixtures.ts';
import { type Operator, operatorOf } from '../../helpers/dns/operator.ts';

let bench: Bench<CloudflareServer>;
let operator: Operator;
beforeEach(async () => {
  bench = await cloudflareBench();
  operator = operatorOf(bench);
});
afterEach(async () => {
  await bench.server.close();
  operator.leave();
});

const planned = async (): Promise<string> => (await operator.run(['plan'])).out;
const apply = async (): Promise<void> => {
  expect(await operator.run(['apply', '--yes', '--force'])).toMatchObject({ code: 0 });
};

describe('a load balancer', () => {
  it('whose fallback pool was changed by hand is a change of the plan, and apply sets it right', async () => {
    operator.write(policyText({ provider: 'cloudflare', records: '' }));
    await apply();
    const balancer = [...bench.server.balancers.values()].find(({ name }) => name === 'api.example.com')!;
    const right = balancer['fallback_pool'];
    balancer['fallback_pool'] = [...bench.server.pools.keys()].find((id) => id !== right);
    expect(await planned()).toMatch(
      /~ api\.example\.com CNAME\n {4}- when nobody is healthy: azure-eastus\n/,
    );
    await apply();
    expect(await planned()).toContain('nothing to do');
    expect([...bench.server.balancers.values()].find(({ name }) => name === 'api.example.com')).toMatchObject(
      {
        fallback_pool: right,
      },
    );
  });
});

describe('the edge', () => {
  const PATHS = {
    cache: 'http_request_cache_settings',
    waf: 'http_request_firewall_managed',
    rate: 'http_ratelimit',
  };
  const write = (edge: string, more = ''): void => {
    operator.write(
      policyText({
        provider: 'cloudflare',
        names: `\n  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus], edge: ${edge} }`,
        records: '\n  - { name: note, type: TXT, ttlSeconds: 300, values: [text] }',
        more,
      }),
    );
  };
  const rules = (phase: string): readonly Record<string, unknown>[] =>
    bench.server.rulesets.get(phase)?.rules ?? [];
  const count = (): number => Object.values(PATHS).reduce((total, phase) => total + rules(phase).length, 0);

  it('keeps what the origin lets it keep, for requests without credentials that read', async () => {
    write('{ cdn: true }');
    await apply();
    expect(rules(PATHS.cache)).toMatchObject([
      {
        expression:
          '(http.host eq "api.example.com" and (not http.request.method in {"GET" "HEAD"} or any(http.request.headers.names[*] eq "authorization")))',
        action_parameters: { cache: false },
      },
      {
        expression:
          '(http.host eq "api.example.com" and http.request.method in {"GET" "HEAD"} and not any(http.request.headers.names[*] eq "authorization"))',
        action_parameters: { cache: true, edge_ttl: { mode: 'bypass_by_default' } },
      },
    ]);
    expect(count()).toBe(2);
    expect([...bench.server.balancers.values()]).toMatchObject([{ name: 'api.example.com', proxied: true }]);
  });

  it('is part of the plan, and a second plan is empty', async () => {
    write('{ cdn: true, waf: true, rateLimit: { requests: 100, seconds: 10 } }');
    const line = 'behind the edge, CDN, WAF, a client may send 100 requests in 10 s';
    expect(await planned()).toContain(`+ api.example.com CNAME\n    + ttl 1\n    + ${line}\n`);
    await apply();
    expect(count()).toBe(4);
    expect(await planned()).toContain('nothing to do');
  });

  it('is dumped as a policy that plans to nothing', async () => {
    write('{ waf: true, rateLimit: { requests: 100, seconds: 10 } }');
    await apply();
    const { out } = await operator.run(['dump']);
    expect(out).toContain('requests: 100');
    operator.write(out);
    expect(await planned()).toContain('nothing to do');
  });

  it('is true for a CDN and a WAF, and is said once for all names of a zone', async () => {
    write('true');
    await apply();
    write('{ cdn: true, waf: true }');
    expect(await planned()).toContain('nothing to do');
    operator.write(
      policyText({
        provider: 'cloudflare',
        names: '\n  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }',
        records: '\n  - { name: note, type: TXT, ttlSeconds: 300, values: [text] }',
        more: 'edge: true',
      }),
    );
    expect(await planned()).toContain('nothing to do');
  });

  it('changes one rule when one setting changes, and goes with its flag', async () => {
    write('{ cdn: true, waf: true, rateLimit: { requests: 100, seconds: 10 } }');
    await apply();
    const before = rules(PATHS.rate)[0]!['id'];
    write('{ cdn: true, rateLimit: { requests: 50, seconds: 10 } }');
    expect(await planned()).toContain('+ behind the edge, CDN, a client may send 50 requests in 10 s\n');
    await apply();
    expect(rules(PATHS.waf)).toEqual([]);
    expect(rules(PATHS.rate)).toMatchObject([{ id: before, ratelimit: { requests_per_period: 50 } }]);
    write('false');
    await apply();
    expect(count()).toBe(0);
    expect([...bench.server.balancers.values()]).toMatchObject([{ proxied: false }]);
    expect(await planned()).toContain('nothing to do');
  });

  it('never touches the rules of others, in whatever order they are', async () => {
    const foreign = {
      id: 'f'.repeat(32),
      ref: 'f'.repeat(32),
      enabled: true,
      description: 'ours, says somebody else',
      expression: '(http.host eq "api.example.com")',
      action: 'set_cache_settings',
      action_parameters: { cache: false },
    };
    bench.server.rulesets.set(PATHS.cache, { id: 'e'.repeat(32), rules: [{ ...foreign }] });
    write('true');
    await apply();
    expect(rules(PATHS.cache)).toHaveLength(3);
    write('false');
    await apply();
    expect(rules(PATHS.cache)).toEqual([foreign]);
    expect(await planned()).toContain('nothing to do');
  });

  it('shows a rule that was changed by hand, and makes it right', async () => {
    write('{ cdn: true, waf: true }');
    await apply();
    rules(PATHS.waf)[0]!['enabled'] = false;
    expect(await planned()).toMatch(
      /- behind the edge, CDN\n {4}\+ behind the edge, CDN, WAF\n- rule tandem_waf_\w+: .* \(unused\)/,
    );
    await apply();
    expect(rules(PATHS.waf)).toMatchObject([{ enabled: true }]);
    expect(await planned()).toContain('nothing to do');
  });

  it('puts the rules before the name, so that it is never reached without them', async () => {
    write('true');
    const from = bench.server.requested.length;
    await apply();
    const made = bench.server.requested
      .slice(from)
      .filter(({ method, path }) => method !== 'GET' && /rulesets|load_balancers$/.test(path))
      .map(({ path }) => /rulesets|load_balancers/.exec(path)?.[0]);
    expect(made).toEqual(['rulesets', 'rulesets', 'rulesets', 'load_balancers']);
  });

  it('says what it needs when the token may not change rules', async () => {
    write('true');
    bench.server.faults.push({
      matches: ({ method, path }) => method !== 'GET' && path.includes('rulesets'),
      response: refusal(403, 10_000, 'Authentication error'),
      times: Infinity,
    });
    expect(await operator.run(['apply', '--yes'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('not allowed to do this'),
    });
    expect(bench.server.balancers.size).toBe(0);
  });

  it('is one for all records of a name', async () => {
    operator.write(
      policyText({
        provider: 'cloudflare',
        names: '',
        records: `
  - { name: web, type: A, values: [192.0.2.1], edge: true }
  - { name: web, type: AAAA, values: ['2001:db8::1'], edge: { cdn: true } }`,
      }),
    );
    expect((await operator.run(['plan'])).err).toContain(
      'web.example.com AAAA: Cloudflare does the same at the edge for all records of a name',
    );
  });

  it.each([
    { name: 'route53' as const, start: route53Bench },
    { name: 'local' as const, start: localBench },
  ])('is refused at $name, with what to do instead', async ({ name, start }) => {
    const other = await start();
    operator.write(policyText({ provider: name, records: '', more: 'edge: true' }));
    const { code, err } = await operator.run(['plan'], { provider: other.provider });
    await other.server.close();
    expect(code).toBe(1);
    expect(err).toMatch(
      /api\.example\.com CNAME: .*CloudFront with a WAF .*custom\.features\.cdn.*Front Door/,
    );
  });
});

describe('a service of a name', () => {
  const write = (routes: string, more = 'edge: true'): void => {
    operator.write(
      policyText({
        provider: 'cloudflare',
        names: `
  - name: api
    strategy: weighted
    sites: [aws-us-east-1, azure-eastus]
    routes:${routes}`,
        records: '\n  - { name: note, type: TXT, ttlSeconds: 300, values: [text] }',
        more,
      }),
    );
  };
  const TWO = `
      - { path: /orders, sites: [{ site: azure-eastus, weight: 90 }, { site: aws-us-east-1, weight: 10 }] }
      - { path: /orders/export, strategy: failover, sites: [azure-eastus, aws-us-east-1] }`;
  const balancer = (): Record<string, unknown> => [...bench.server.balancers.values()][0]!;

  it('is answered by its path, the deeper path first', async () => {
    write(TWO);
    await apply();
    const { rules } = balancer() as { rules: { condition: string; overrides: object }[] };
    expect(rules.map(({ condition }) => condition)).toEqual([
      'http.request.uri.path eq "/orders/export" or starts_with(http.request.uri.path, "/orders/export/")',
      'http.request.uri.path eq "/orders" or starts_with(http.request.uri.path, "/orders/")',
    ]);
    expect(rules.map(({ overrides }) => overrides)).toMatchObject([
      { steering_policy: 'off' },
      { steering_policy: 'random', random_steering: { default_weight: 0 } },
    ]);
  });

  it('is part of the plan, and a second plan and that of a dump are empty', async () => {
    write(TWO);
    expect(await planned()).toContain(
      '    + path /orders: weighted\n    + path /orders: aws-us-east-1 a.example.net weight 10',
    );
    await apply();
    expect(await planned()).toContain('nothing to do');
    expect((await operator.run(['status'])).out).toContain('api.example.com CNAME /orders/export failover\n');
    operator.write((await operator.run(['dump'])).out);
    expect(await planned()).toContain('nothing to do');
    write('\n      - { path: /users, sites: [aws-us-east-1] }');
    await apply();
    expect((balancer() as { rules: unknown[] }).rules).toHaveLength(1);
    expect(await planned()).toContain('nothing to do');
  });

  it('is drained with its site, and a site that it alone has is not drained', async () => {
    write(TWO);
    await apply();
    expect((await operator.run(['failover', 'azure-eastus'])).code).toBe(0);
    const pools = [...bench.server.pools.values()];
    const lost = pools.find(({ description }) => String(description).endsWith('azure-eastus'))!;
    const { rules } = balancer() as { rules: { overrides: { default_pools: string[] } }[] };
    expect(rules[0]!.overrides.default_pools).not.toContain(lost.id);
    await operator.run(['restore', '--now']);
    write('\n      - { path: /orders, strategy: failover, sites: [azure-eastus] }');
    await apply();
    expect((await operator.run(['failover', 'azure-eastus'])).out).toContain(
      'api.example.com CNAME /orders: no site is left, so nobody would be served',
    );
  });

  it('shows rules whose order or fallback was changed by hand, and leaves those that it cannot read alone', async () => {
    write(TWO);
    await apply();
    const { rules } = balancer() as { rules: { priority: number; overrides: Record<string, unknown> }[] };
    [rules[0]!.priority, rules[1]!.priority] = [1, 0];
    expect(await planned()).toContain('- paths in the order /orders, /orders/export');
    await apply();
    expect(await planned()).toContain('nothing to do');
    const again = balancer() as { rules: Record<string, unknown>[] };
    again.rules.push({ name: 'theirs', condition: 'true', fixed_response: { status_code: 503 } });
    expect((await operator.run(['plan'])).err).toContain("no policy can say: the rule 'theirs'");
  });

  it.each([
    ['without an edge', TWO, 'edge: false', /Cloudflare sees paths only of what is behind its edge/],
    [
      'with geolocation',
      '\n      - { path: /a, strategy: geolocation, sites: [{ site: aws-us-east-1, default: true }] }',
      'edge: true',
      /no paths together with geolocation/,
    ],
    [
      'twice for a path',
      `${TWO}\n      - { path: /orders, sites: [azure-eastus] }`,
      '',
      /\/orders is here twice/,
    ],
    ['at no site', '\n      - { path: /orders, sites: [gcp] }', '', /there is no site 'gcp'/],
    ['with a path that is none', '\n      - { path: orders/, sites: [azure-eastus] }', '', /routes\/0\/path/],
  ])('is refused %s', async (_title, routes, more, reason) => {
    write(routes, more);
    expect((await operator.run(['plan'])).err).toMatch(reason);
  });

  it.each([
    { name: 'route53' as const, start: route53Bench },
    { name: 'local' as const, start: localBench },
  ])('is refused at $name, by name', async ({ name, start }) => {
    const other = await start();
    const names = `
  - { name: api, strategy: weighted, sites: [aws-us-east-1], routes: [{ path: /orders, sites: [azure-eastus] }] }`;
    operator.write(policyText({ provider: name, names, records: '' }));
    const { err } = await operator.run(['plan'], { provider: other.provider });
    await other.server.close();
    expect(err).toMatch(/api\.example\.com CNAME: .* answers for a name as a whole and does not know paths/);
  });
});
