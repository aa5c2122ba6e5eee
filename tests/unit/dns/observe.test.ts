/** What a shift asks of sites, and what a guard asks of a health check, with real requests. */
import http from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { HealthCheck } from '@tandem-clouds/zone/model';
import { probeOverHttp } from '../../../dns/plan/safety.ts';
import { observeOverHttp } from '../../../dns/shift/observe.ts';
import { closeAfterEach } from '../../helpers/cleanup.ts';
import { startOrigin, type TestOrigin } from '../../helpers/origin.ts';

const onEnd = closeAfterEach();
const PEER = {
  site: 'azure-eastus',
  safeTime: '2026-01-01T00:00:08.000Z',
  exposure: { keys: 3 },
  oldestPendingMs: 1_200,
};
let origin: TestOrigin;
beforeEach(async () => {
  origin = await startOrigin('aws-us-east-1');
  onEnd(() => origin.kill());
});

function answer(status: number, replication = 200): void {
  origin.handle = (request, response) => {
    const isReplication = request.url === '/replication';
    response.writeHead(isReplication ? replication : status);
    response.end(isReplication ? JSON.stringify({ now: '2026-01-01T00:00:10.000Z', peers: [PEER] }) : '{}');
  };
}

const observe = async (requests: number) =>
  observeOverHttp({ site: origin.site, url: origin.url.href, requests });

describe('a look at a site', () => {
  it('times its answers, asks for its deep health once, and takes replication from its peers', async () => {
    answer(200);
    const sample = await observe(4);
    expect(sample).toMatchObject({
      site: 'aws-us-east-1',
      errors: 0,
      peers: [{ site: 'azure-eastus', lagMs: 1_200, safeTimeBehindMs: 2_000, exposedKeys: 3 }],
    });
    expect(sample.latenciesMs).toHaveLength(4);
    expect(Math.min(...sample.latenciesMs)).toBeGreaterThan(0);
    expect(origin.probes).toBe(1);
    expect(origin.seen.toSorted()).toEqual(['GET /region', 'GET /region', 'GET /region', 'GET /replication']);
  });

  it('asks for replication alone when the site has no traffic', async () => {
    answer(200);
    expect(await observe(0)).toMatchObject({ latenciesMs: [], errors: 0, peers: [{ lagMs: 1_200 }] });
    expect(origin.seen).toEqual(['GET /replication']);
  });

  it.each([
    [500, 3],
    [503, 3],
    [404, 0],
  ])('counts answers with %i as %i errors', async (status, errors) => {
    answer(status);
    origin.health = status;
    expect((await observe(3)).errors).toBe(errors);
  });

  it('says why replication is not known', async () => {
    answer(200, 401);
    expect((await observe(0)).peers).toBe('/replication answers 401');
    origin.handle = (_request, response) => void response.end('not JSON');
    expect((await observe(0)).peers).toMatch(/^\/replication: .*JSON/);
  });

  it('never rejects: a site that is gone has nothing but errors', async () => {
    await origin.kill();
    expect(await observe(3)).toMatchObject({ errors: 3, peers: '/replication: ECONNREFUSED' });
  });
});

describe('the question of a health check', () => {
  const query = async (path = '/health/deep'): Promise<boolean> => {
    const { hostname: host, port } = origin.url;
    const check: HealthCheck = {
      protocol: 'http',
      host,
      port: Number(port),
      path,
      intervalSeconds: 10,
      failureThreshold: 3,
    };
    return probeOverHttp(check);
  };

  it.each([
    [200, true],
    [204, true],
    [302, true],
    [400, false],
    [503, false],
  ])('answered with %i is %p', async (status, well) => {
    origin.health = status;
    expect(await query()).toBe(well);
  });

  it('does not follow where a redirect leads', async () => {
    origin.handle = (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await query('/health')).toBe(true);
    expect(origin.seen).toEqual(['GET /health']);
  });

  it('is not well without an answer, or with a broken one', async () => {
    origin.handle = (request) => void request.socket.destroy();
    expect(await query('/health')).toBe(false);
    await origin.kill();
    expect(await query()).toBe(false);
  });

  it('is asked at an address of IPv6 as well', async () => {
    const server = http.createServer((_request, response) => void response.end());
    const listening = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    server.listen(0, '::1');
    // A machine without IPv6 has nothing to show here.
    if (!(await listening)) return;
    onEnd(() => server.close());
    const { port } = server.address() as { port: number };
    const check: HealthCheck = {
      protocol: 'http',
      host: '::1',
      port,
      path: '/',
      intervalSeconds: 10,
      failureThreshold: 3,
    };
    expect(await probeOverHttp(check)).toBe(true);
  });
});
