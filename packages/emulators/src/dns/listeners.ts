/** DNS over UDP, and over TCP (RFC 7766), at the same port. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { TCP_CONNECTIONS_MAX, TCP_IDLE_MS, TCP_UNSENT_BYTES_MAX } from './bounds.ts';
import type { Responder } from './responder.ts';

/** What listens. */
export interface Listeners {
  readonly port: number;
  close(): Promise<void>;
}

const LENGTH_BYTES = 2;
/** A few more queries than the kernel's default holds: bursts while a health check's answer is being read. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;
/** A port that is free for one may be taken for the other. */
const PORT_ATTEMPTS_MAX = 20;

/**
 * Listens for both. Port 0 picks a port that is free for both.
 * @throws Error when the port is taken.
 */
export async function listen(responder: Responder, address: string, port: number): Promise<Listeners> {
  for (let attempt = 1; ; attempt += 1) {
    const tcp = await listenTcp(responder, address, port);
    const { port: chosen } = tcp.server.address() as net.AddressInfo;
    try {
      const udp = await listenUdp(responder, address, chosen);
      return { port: chosen, close: () => closeAll(udp, tcp) };
    } catch (error) {
      await closeTcp(tcp);
      if (port !== 0 || attempt === PORT_ATTEMPTS_MAX) throw error;
    }
  }
}

async function listenUdp(responder: Responder, address: string, port: number): Promise<dgram.Socket> {
  const socket = dgram.createSocket({
    type: net.isIPv6(address) ? 'udp6' : 'udp4',
    // Multicast DNS has 5353 on many machines and shares it. A second server of ours fails before, at the TCP port.
    reuseAddr: true,
    // Clients have addresses, not names; the ordinary look-up costs a turn of the event loop for each answer.
    lookup: (host, _options, found) => found(null, host, net.isIPv6(host) ? 6 : 4),
  });
  socket.on('message', (packet, { address: client, port: clientPort }) => {
    // Nobody has port 0; and a server nothing can be sent there.
    if (clientPort === 0) return;
    const answer = responder.answer(packet, 'udp', client);
    if (answer !== undefined) socket.send(answer, 0, answer.length, clientPort, client);
  });
  // With a look-up that answers at once it may listen before `bind` returns. Rejects with the error when there is one.
  const listening = once(socket, 'listening');
  socket.bind(port, address);
  await listening;
  // From here on an error means an answer that could not be sent: the client asks again.
  socket.on('error', () => undefined);
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The system allows less, and then has what it allows.
  }
  return socket;
}

interface TcpListener {
  readonly server: net.Server;
  readonly connections: Set<net.Socket>;
}

async function listenTcp(responder: Responder, address: string, port: number): Promise<TcpListener> {
  const connections = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    if (connections.size >= TCP_CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    serveConnection(responder, socket);
  });
  server.listen(port, address);
  await once(server, 'listening');
  return { server, connections };
}

/** Messages with their length before them; several may be under way at once (RFC 7766, section 6.2.1.1). */
function serveConnection(responder: Responder, socket: net.Socket): void {
  const client = socket.remoteAddress ?? '';
  let received: Buffer = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) break;
      const answer = responder.answer(received.subarray(LENGTH_BYTES, end), 'tcp', client);
      received = received.subarray(end);
      // Who sends what is no query has nothing else to ask.
      if (answer === undefined || socket.writableLength > TCP_UNSENT_BYTES_MAX) {
        socket.destroy();
        return;
      }
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}

async function closeTcp({ server, connections }: TcpListener): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const connection of connections) connection.destroy();
  await closed;
}

async function closeAll(udp: dgram.Socket, tcp: TcpListener): Promise<void> {
  const closed = once(udp, 'close');
  udp.close();
  await Promise.all([closed, closeTcp(tcp)]);
}
