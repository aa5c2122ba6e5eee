/** What a finding means: its row of the table, and for a refusal the first reading that fits. */
import type { Finding } from '../../src/shared/ports/probe.ts';
import { ANYWHERE, type Cloud, COMMON, type ProbeRow, PROBES } from './table.ts';

export interface Reading extends Finding {
  readonly calls: string;
  readonly needs: string;
  /** Of a refusal. */
  readonly means?: string;
  readonly mend?: string;
  readonly source: string;
  /** A refusal by which nothing is lost. */
  readonly isHarmless: boolean;
}

const UNKNOWN = {
  means: 'a refusal that no row of scripts/first-check/table.ts knows',
  mend: 'read what the service said; docs/runbooks/sign-in-between-clouds.md, or report it with this line',
};

/** @throws Error for a probe without a row. */
export function readFinding(finding: Finding, cloud: Cloud): Reading {
  const row = PROBES.find(({ id }) => id === finding.probe);
  if (row === undefined) throw new Error(`scripts/first-check/table.ts has no row for ${finding.probe}`);
  return {
    ...finding,
    calls: row.calls[cloud] ?? '',
    needs: row.needs[cloud] ?? '',
    source: row.source,
    isHarmless: row.isHarmless === true,
    ...(finding.result === 'refused' && meaningOf(finding.seen, row, cloud)),
  };
}

function meaningOf(seen: string, row: ProbeRow, cloud: Cloud): { means: string; mend: string } {
  const found = [...row.refusals, ...COMMON[cloud], ...ANYWHERE].find(({ when }) => when.test(seen));
  const { means, mend } = found ?? UNKNOWN;
  return { means, mend };
}
