/**
 * A local Azure Functions host in a process of its own, for tests: bundles are loaded by Node's own module loader,
 * and settings go into an environment that nobody else shares. Talks to `azure-host-process.ts` over IPC.
 */
import { type AzureHost, type AzureHostOptions, startAzureHost } from '@tandem-clouds/local/azure-host/host';
import type { Invocation } from '@tandem-clouds/local/azure-host/programming-model';

export type HostCall =
  | { readonly method: 'start'; readonly options: Omit<AzureHostOptions, 'log'> }
  | { readonly method: 'invoke'; readonly name: string; readonly invocation: Invocation }
  | { readonly method: 'reload' }
  | { readonly method: 'close' };

export interface HostResponse {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

let host: AzureHost | undefined;

async function runCall(call: HostCall): Promise<unknown> {
  if (call.method === 'start') {
    host = await startAzureHost({ ...call.options, log: (line) => process.stdout.write(`${line}\n`) });
    return { url: host.url, functions: host.functions.map(({ name }) => name) };
  }
  if (host === undefined) throw new Error('the host is not started');
  switch (call.method) {
    case 'invoke':
      return host.invoke(call.name, call.invocation);
    case 'reload':
      host.reload();
      return undefined;
    case 'close':
      await host.close();
      return undefined;
  }
}

process.on('message', ({ id, call }: { id: number; call: HostCall }) => {
  const response = (rest: Omit<HostResponse, 'id'>) => process.send?.({ id, ...rest });
  runCall(call).then(
    (value) => response({ value }),
    (error: unknown) => response({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
