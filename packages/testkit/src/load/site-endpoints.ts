/**
 * An address of its own for every site, as DNS answers it, on one port that all have in common: then an A record is all
 * that a client needs.
 */
import { Link } from '@tandem-clouds/local/faults/link';
import type { Endpoint } from '../cluster/request.ts';

/** Where a site really answers, and the address that is in DNS for it. */
export interface SiteAddress {
  readonly site: string;
  readonly address: string;
  /** Of its functions, on 127.0.0.1. */
  readonly port: number;
}

export interface SiteEndpoints {
  /** By address. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  close(): Promise<void>;
}

/** The first address takes a free port; when the others cannot have the same one, another is tried. */
const ATTEMPTS_MAX = 20;

/** @throws Error saying what to do when an address is none of this machine's. */
export async function openSiteEndpoints(sites: readonly SiteAddress[]): Promise<SiteEndpoints> {
  for (let attempt = 1; ; attempt += 1) {
    const links: Link[] = [];
    const close = async (): Promise<void> => {
      await Promise.all(links.map((link) => link.close()));
    };
    try {
      const endpoints = new Map<string, Endpoint>();
      let common = 0;
      for (const { site, address, port } of sites) {
        const link = new Link();
        link.targetPort = port;
        common = await link.listen({ host: address, port: common });
        links.push(link);
        endpoints.set(address, { name: site, url: `http://${address}:${common}` });
      }
      return { endpoints, close };
    } catch (error) {
      await close();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && attempt < ATTEMPTS_MAX) continue;
      throw new Error(code === 'EADDRNOTAVAIL' ? explain(sites) : message, { cause: error });
    }
  }
}

/** Linux takes all of 127.0.0.0/8; others take 127.0.0.1 only, until they are told. */
function explain(sites: readonly SiteAddress[]): string {
  const commands = sites.map(({ address }) => `  sudo ifconfig lo0 alias ${address} up`);
  return [
    'every site needs an address of its own on this machine, and one of them is missing; on macOS and BSD:',
    ...commands,
  ].join('\n');
}
