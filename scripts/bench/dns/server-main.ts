/** Our DNS server as a process of its own, with the zone of the bench. Prints its port once it answers. */
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { ADDRESSES, NAME, ZONE } from './fixture.ts';

const server = await startDnsServer({
  zone: {
    zone: ZONE,
    records: [
      {
        kind: 'routed',
        name: NAME,
        type: 'A',
        ttlSeconds: 10,
        strategy: 'weighted',
        targets: ADDRESSES.map((address, index) => ({ site: `s${index}`, values: [address], weight: 1 })),
      },
    ],
  },
});
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)));
process.stdout.write(`${server.port}\n`);
