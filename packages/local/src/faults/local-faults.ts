/**
 * The faults of the stack that runs in a folder of this machine, from any process: what it imposes stays until it is lifted,
 * also when that process ends. `npm start` carries it out (stack-faults.ts).
 *
 *     const faults = localFaults('.tandem');
 *     const { id, sentence } = await faults.impose({ kind: 'stop', site: 'aws-us-east-1' });
 *     await faults.lift(id);
 */
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { FaultError, type FaultErrorCode, type ImposedFault, type LocalFaults } from './fault-order.ts';

/** Longer than a frozen emulator is waited for. */
const WITHIN_MS = 15_000;

/**
 * @param place The folder of the stack, or its `stack.json`; read anew for every call.
 * Every method throws a `FaultError`, `unavailable` when no stack runs or it does not answer.
 */
export function localFaults(place: string): LocalFaults {
  return {
    list: async () => (await call(place, 'GET', '')) as readonly ImposedFault[],
    impose: async (order) => (await call(place, 'POST', '', order)) as ImposedFault,
    async lift(id) {
      await call(place, 'DELETE', `/${encodeURIComponent(id)}`);
    },
    async liftAll() {
      await call(place, 'DELETE', '');
    },
  };
}

async function call(place: string, method: string, path: string, body?: object): Promise<unknown> {
  const { faults, operatorKey } = stackAt(place);
  let response: Response;
  try {
    response = await fetch(faults.url + path, {
      method,
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(WITHIN_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError('unavailable', `npm start does not answer at ${faults.url} (${why})`, { cause });
  }
  const text = await response.text();
  const value: unknown = text === '' ? undefined : JSON.parse(text);
  if (response.ok) return value;
  const { code = 'unavailable', message = `HTTP ${response.status}` } = value as {
    code?: FaultErrorCode;
    message?: string;
  };
  throw new FaultError(code, message);
}

function stackAt(place: string): Stack {
  const stack = readStack(place);
  if (stack === undefined)
    throw new FaultError('unavailable', `no stack runs here (${place}); start one with npm start`);
  return stack;
}
