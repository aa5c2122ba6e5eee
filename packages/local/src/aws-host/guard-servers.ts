/**
 * Lambda's own invoke API, which serverless-offline opens beside the routes, runs any function with any event. Whoever
 * reaches it needs no token, so it is for this machine's user only (`packages/emulators/src/core/this-machine.ts`).
 */
import http from 'node:http';
import { refuseForeign } from '@tandem-clouds/emulators/core/control';

/**
 * Runs `start` and guards the HTTP servers that it opens. When it fails none of them goes on listening.
 * @param isOpen Called when they all listen: true for a server that anybody may ask.
 */
export async function guardServers(
  start: () => Promise<void>,
  isOpen: (server: http.Server) => boolean,
): Promise<void> {
  const servers: http.Server[] = [];
  const { createServer } = http;
  // hapi looks it up when it makes a server, and gives no way to what serverless-offline makes with it.
  http.createServer = ((...args: Parameters<typeof createServer>) => {
    const server = createServer(...args);
    servers.push(server);
    return server;
  }) as typeof createServer;
  try {
    await start();
  } catch (error) {
    for (const server of servers) if (server.listening) server.close();
    throw error;
  } finally {
    http.createServer = createServer;
  }
  for (const server of servers) if (!isOpen(server)) guard(server);
}

function guard(server: http.Server): void {
  const listeners = server.listeners('request') as http.RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (refuseForeign(request, response)) return;
    for (const listener of listeners) listener.call(server, request, response);
  });
}
