/**
 * Makes the probes of a site and reports what became of each.
 *
 * Invariant: every probe has one finding, within a bound; none decides about another, except by what it has left for
 * those of its own group.
 */
import { probeFindingCharsMax, probeWithinMs } from '../bounds.ts';
import { type Finding, NotCheckedError, type Probe, type ProbeGroup } from '../ports/probe.ts';

/** @param elapsed Monotonic milliseconds. */
export async function firstCheck(
  groups: readonly ProbeGroup[],
  elapsed: () => number,
  withinMs = probeWithinMs,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    groups.map(async (group) => {
      const found: Finding[] = [];
      for (const probe of group) found.push(await findingOf(probe, elapsed, withinMs));
      return found;
    }),
  );
  return findings.flat();
}

async function findingOf(probe: Probe, elapsed: () => number, withinMs: number): Promise<Finding> {
  const began = elapsed();
  const finding = (result: Finding['result'], seen: string): Finding => ({
    probe: probe.id,
    subject: probe.subject ?? '',
    result,
    seen: seen.slice(0, probeFindingCharsMax),
    ms: Math.round(elapsed() - began),
  });
  try {
    return finding('ok', await within(probe.run(), withinMs));
  } catch (error) {
    return error instanceof NotCheckedError
      ? finding('skipped', error.message)
      : finding('refused', explained(error));
  }
}

async function within<T>(call: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${withinMs} ms`));
    }, withinMs);
  });
  try {
    return await Promise.race([call, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** An error with its causes, each once: what the service said is often in the innermost. */
function explained(error: unknown): string {
  const reported: string[] = [];
  for (let next: unknown = error; next !== undefined && reported.length < 5;) {
    const { name, message, code, cause } = next as Partial<Error & { code: string | number }>;
    const text = [name, code, message].filter((part) => part !== undefined && part !== '').join(': ');
    if (!reported.some((earlier) => earlier.includes(message ?? text))) reported.push(text);
    next = cause;
  }
  return reported.join(' <- ');
}
