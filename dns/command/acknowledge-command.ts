/** `npm run tandem -- acknowledge`. */
import { userInfo } from 'node:os';
import { LockedError } from '../errors.ts';
import { acknowledge } from '../monitor/acknowledge.ts';
import { incidentFiles } from '../monitor/incident-file.ts';
import type { CommandContext } from './command-context.ts';
import { incidentsOf } from './monitor-line.ts';
import { findPlace } from './place.ts';

export interface AcknowledgeLine {
  readonly runbook: string;
  readonly site: string;
  readonly why: string;
  readonly by?: string | undefined;
  readonly policy: string;
  readonly stack: string;
  readonly incidents?: string | undefined;
  readonly json: boolean;
}

/** A monitor that moves traffic holds the zone for a while; who is asked at night should not have to try again. */
const WAIT_MS_MAX = 60_000;
const PAUSE_MS = 5_000;

/** Returns the exit status. @throws TrafficError */
export async function acknowledgeCommand(
  line: AcknowledgeLine,
  commandContext: CommandContext,
): Promise<number> {
  const { policy, provider } = await findPlace(line, commandContext);
  const { clock, signal, out, err } = commandContext;
  const { runbook, site, why } = line;
  const by = line.by ?? userInfo().username;
  const incidents = incidentFiles(line.incidents ?? incidentsOf(policy), () => clock.now());
  const report = (text: string): void => err(`${text}\n`);
  const untilMs = clock.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      const incident = await acknowledge(
        {
          provider,
          clock,
          report,
          owner: `${by.replace(/[^A-Za-z0-9-]+/g, '-').slice(0, 30)}-acknowledges`,
          incidents,
        },
        { runbook, site, by, why },
      );
      out(line.json ? `${JSON.stringify(incident)}\n` : `${runbook} ${site}: acknowledged by ${by}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof LockedError) || clock.now() >= untilMs || signal.aborted) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
