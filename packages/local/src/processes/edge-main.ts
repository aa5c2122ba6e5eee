/**
 * The edge as a process: `edge-main.ts --port 8080 --origin aws-us-east-1=http://127.0.0.1:3000 --origin …`; for the shop's page,
 * `--pictures` for each origin of a storage, and `--payments`.
 */
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { readConfig } from '@tandem-clouds/storefront/build/page';
import type { Origin } from '../edge/health.ts';
import { startEdge, STATUS_PATH } from '../edge/proxy.ts';
import { endAtStart } from '../exit-codes.ts';
import { announce } from '../run-registry.ts';

function parseOrigin(text: string): Origin {
  const [, site, url] = /^([^=]+)=(http:.+)$/.exec(text) ?? [];
  if (site === undefined || url === undefined)
    throw new UsageError(`--origin: '${text}' is not <site>=<url>`);
  return { site, url: new URL(url) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      origin: { type: 'string', multiple: true, default: [] as string[] },
      pictures: { type: 'string', multiple: true, default: [] as string[] },
      payments: { type: 'string', default: 'stripe' },
    },
  });
  const origins = values.origin.map(parseOrigin);
  const { pictures, payments } = values;
  const edge = await startEdge({
    port: readWhole(values.port, { name: '--port', min: 0, max: 65_535 }),
    origins,
    // A browser goes to the sites directly: it is the client in the page that changes over to another one.
    shop: readConfig({
      sites: origins.map(({ site, url }) => ({ name: site, url: url.href })),
      pictures,
      payments,
    }),
    onChange: (site, healthy) => {
      const level = healthy ? 'info' : 'warn';
      const message = healthy ? `${site} takes requests` : `${site} does not answer: it gets no requests`;
      process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message })}\n`);
    },
  });
  const stop = (): void => void edge.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('edge', { http: edge.url, status: edge.url + STATUS_PATH });
  flushCompileCache();
}

main().catch(endAtStart);
