/** What an address negotiates with this process, by a handshake of its own: version and cipher suite. */
import net from 'node:net';
import tls from 'node:tls';
import { tlsHandshakeMs } from '../bounds.ts';
import { NotCheckedError, type Probe } from '../ports/probe.ts';

/** The ports of the schemes that have TLS; the others have none, on this machine only. */
const PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'amqps:': 5671 };

/** @param ca For tests: who else is trusted. */
export function tlsProbe(subject: string, address: string, ca?: string): Probe {
  return { id: 'tls', subject, run: () => negotiate(address, ca) };
}

async function negotiate(address: string, ca?: string): Promise<string> {
  const { protocol, hostname, port } = new URL(address);
  const usual = PORTS[protocol];
  if (usual === undefined) throw new NotCheckedError(`${protocol}//${hostname} is spoken to without TLS`);
  const socket = tls.connect({
    host: hostname,
    port: port === '' ? usual : Number(port),
    // An address is no name of a server (RFC 6066, section 3).
    ...(net.isIP(hostname) === 0 && { servername: hostname }),
    timeout: tlsHandshakeMs,
    ...(ca !== undefined && { ca }),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('timeout', () => {
        reject(new Error(`no handshake within ${tlsHandshakeMs} ms`));
      });
    });
    return `${socket.getProtocol() ?? 'no version'} ${socket.getCipher().standardName}`;
  } finally {
    socket.destroy();
  }
}
