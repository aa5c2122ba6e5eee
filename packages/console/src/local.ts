/** What the stack of this machine says beside what its sites do. */
import type { Sites } from './server/sites.ts';
import type { LocalLook } from './server/watch.ts';

const WITHIN_MS = 1_500;

/** Never rejects: what does not answer is left out. */
export function localLook(sites: Sites): () => Promise<LocalLook> {
  return async () => {
    const { edge } = sites.stack();
    const status = await answered<{ healthy: Record<string, boolean> }>(`${edge.url}/_tandem/edge`);
    return { healthy: status?.healthy ?? {}, served: {}, faults: [] };
  };
}

async function answered<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
