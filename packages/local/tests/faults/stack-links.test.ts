import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { beforeEach, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { StackLinks } from '../../src/faults/stack-links.ts';
import { parseSites } from '../../src/stack/sites.ts';

const SITES = parseSites('aws-us-east-1,azure-eastus,azure-westeurope');
const WAY = 'aws-us-east-1/azure-eastus';
const closing = closeAfterEach();
let port: number;

/** A queue and a storage that say hello to everybody. */
beforeEach(async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('hello');
  });
  closing(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

async function open(held?: Record<string, number>): Promise<StackLinks> {
  const links = await StackLinks.open(SITES, held);
  closing(() => links.close());
  const services = ['sqs', 's3', 'service-bus', 'blob'];
  const names = SITES.flatMap(({ site }) => services.map((service) => `${site}.${service}`));
  links.leadTo(SITES, new Map(names.map((name) => [name, port])));
  return links;
}

async function passes(links: StackLinks, name: string): Promise<boolean> {
  const socket = net.connect({ host: '127.0.0.1', port: links.ports[name] ?? 0 });
  closing(() => socket.destroy());
  return once(socket, 'data').then(
    () => true,
    () => false,
  );
}

test('every site reaches the queue and the objects of every other one over a way of its own', async () => {
  const links = await open();
  const names = SITES.flatMap(({ site: from }) =>
    SITES.filter(({ site }) => site !== from).flatMap(({ site }) => [
      `${from}/${site}`,
      `${from}/${site}/objects`,
    ]),
  );
  expect(Object.keys(links.ports).toSorted()).toEqual(names.toSorted());
  expect(new Set(Object.values(links.ports)).size).toBe(names.length);
  for (const name of names) expect(await passes(links, name)).toBe(true);
});

test('a way that is cut is cut for one site and one direction, its objects with it', async () => {
  const links = await open();
  const mend = links.cut('aws-us-east-1', 'azure-eastus');
  expect(await passes(links, WAY)).toBe(false);
  expect(await passes(links, `${WAY}/objects`)).toBe(false);
  for (const other of [
    'azure-eastus/aws-us-east-1',
    'azure-westeurope/azure-eastus',
    'aws-us-east-1/azure-westeurope',
  ])
    expect(await passes(links, other)).toBe(true);
  mend();
  expect(await passes(links, WAY)).toBe(true);
});

test('a way that is cut twice is open when both cuts are mended', async () => {
  const links = await open();
  const mends = [links.cut('aws-us-east-1', 'azure-eastus'), links.cut('aws-us-east-1', 'azure-eastus')];
  mends[0]?.();
  mends[0]?.();
  expect(await passes(links, WAY)).toBe(false);
  mends[1]?.();
  expect(await passes(links, WAY)).toBe(true);
});

test('a way that a drill has a link for is the business of the drill', async () => {
  const links = await open({ [WAY]: 1 });
  expect(links.has('aws-us-east-1', 'azure-eastus')).toBe(false);
  expect(links.has('azure-eastus', 'aws-us-east-1')).toBe(true);
});
