/** The parent's side of `azure-host-main.ts`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { AzureHostOptions } from '@tandem-clouds/local/azure-host/host';
import type { Invocation, InvocationResult } from '@tandem-clouds/local/azure-host/programming-model';
import type { HostCall, HostResponse } from './azure-host-main.ts';

const MAIN = path.join(import.meta.dirname, 'azure-host-main.ts');

export interface HostProcess {
  readonly url: string;
  /** Names of the functions that run. */
  readonly functions: readonly string[];
  /** Everything that the host and its functions logged, one line an entry. */
  readonly lines: readonly string[];
  invoke(name: string, invocation: Invocation): Promise<InvocationResult>;
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a host; rejects with the host's own message when it cannot start. */
export async function startHostProcess(options: Omit<AzureHostOptions, 'log'>): Promise<HostProcess> {
  const child = fork(MAIN, { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));
  }
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  child.on('message', ({ id, value, error }: HostResponse) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  });
  child.once('exit', () => {
    for (const call of waiting.values()) call.reject(new Error(`the host ended\n${lines.join('\n')}`));
  });
  let calls = 0;
  const query = (call: HostCall): Promise<unknown> => {
    const response = Promise.withResolvers<unknown>();
    waiting.set((calls += 1), response);
    child.send({ id: calls, call });
    return response.promise;
  };
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    // Not 'close', which never comes after a disconnect from this side.
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  };
  try {
    const started = (await query({ method: 'start', options })) as { url?: string; functions: string[] };
    return {
      url: started.url ?? '',
      functions: started.functions,
      lines,
      invoke: async (name, invocation) =>
        (await query({ method: 'invoke', name, invocation })) as InvocationResult,
      reload: async () => {
        await query({ method: 'reload' });
      },
      close: async () => {
        if (!child.connected) return;
        await query({ method: 'close' });
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
