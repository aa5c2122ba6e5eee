/**
 * Looks, decides, acts, and says what has changed. Any number of monitors may do so: what must not happen twice is
 * decided by the zone's lock and by what the zone says (carry-out.ts).
 */
import { TrafficError } from '../errors.ts';
import { type Incident, incidentKey, incidentsIn } from '../incidents.ts';
import { dedupKey } from './actions.ts';
import { carryOut } from './carry-out.ts';
import {
  afterTry,
  decide,
  type Decided,
  type Decision,
  type Memory,
  NO_MEMORY,
  type SiteSample,
  type Watched,
} from './decide.ts';
import type { MonitorContext } from './monitor-context.ts';
import { type Notice, send } from './notify.ts';
import { type Runbook, sitesOf } from './runbook.ts';
import { providerWords, sampleOf } from './sample.ts';

export interface MonitorOptions {
  readonly monitorContext: MonitorContext;
  readonly runbooks: readonly Runbook[];
  readonly intervalMs: number;
  /** The longest time between two looks that still follow each other. */
  readonly gapMs: number;
}

export class Monitor {
  readonly #monitorContext: MonitorContext;
  readonly #watched: readonly Watched[];
  readonly #intervalMs: number;
  readonly #gapMs: number;
  #memory: Memory = NO_MEMORY;
  #incidents: readonly Incident[] = [];
  #pending = false;
  /** How long the last look and what followed from it took: a provider in trouble takes its time. */
  #busyMs = 0;
  /** What was said last of each thing. */
  readonly #reportedOf = new Map<string, string>();
  /** Triggers that people were told of although nothing could be done. */
  readonly #alarmed = new Set<string>();

  constructor({ monitorContext, runbooks, intervalMs, gapMs }: MonitorOptions) {
    this.#monitorContext = monitorContext;
    this.#watched = runbooks.map((runbook) => ({ runbook, sites: sitesOf(runbook, monitorContext.policy) }));
    this.#intervalMs = intervalMs;
    this.#gapMs = gapMs;
  }

  /** Until the signal. */
  async watch(): Promise<void> {
    const { clock, signal } = this.#monitorContext;
    while (!signal.aborted) {
      await this.sample();
      await clock.sleep(this.#intervalMs, signal);
    }
  }

  /** As many looks as it takes until nothing is about to be decided, for so long at most. True when the zone was read. */
  async round(atMostMs: number): Promise<boolean> {
    const { clock, signal } = this.#monitorContext;
    const untilMs = clock.now() + atMostMs;
    let isRead = await this.sample();
    while (this.#pending && clock.now() + this.#intervalMs < untilMs && !signal.aborted) {
      await clock.sleep(this.#intervalMs, signal);
      isRead = await this.sample();
    }
    return isRead;
  }

  /** One look, and what follows from it. False when the zone could not be read. */
  async sample(): Promise<boolean> {
    const { clock } = this.#monitorContext;
    const startedMs = clock.now();
    const isRead = await this.#sampleAndAct(startedMs);
    this.#busyMs = Math.max(0, clock.now() - startedMs);
    return isRead;
  }

  async #sampleAndAct(startedMs: number): Promise<boolean> {
    const { policy, observe } = this.#monitorContext;
    const sites = [...new Set(this.#watched.flatMap((one) => one.sites))];
    const [samples, isRead] = await Promise.all([sampleOf(sites, policy, observe), this.#readIncidents()]);
    for (const { site, up } of samples) {
      this.#change(site, up ? 'answers' : 'does not answer here', 'answers');
    }
    const decided = await this.#decide(samples, startedMs);
    this.#memory = decided.memory;
    this.#pending = decided.pending;
    for (const site of sites) this.#change(`${site}, the provider`, wordOf(decided, site), '');
    for (const key of this.#alarmed) if (!decided.memory.bad.has(key)) this.#alarmed.delete(key);
    for (const decision of decided.decisions) await this.#act(decision);
    return isRead;
  }

  /** An outage of the provider keeps what was known. */
  async #readIncidents(): Promise<boolean> {
    const { provider, policy } = this.#monitorContext;
    try {
      this.#incidents = incidentsIn((await provider.read()).records, policy.zone);
      this.#change(policy.zone, 'can be read', 'can be read');
      return true;
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      this.#change(policy.zone, error.message, 'can be read');
      return false;
    }
  }

  /** The provider's checks are asked only when their word counts: each costs a request. */
  async #decide(samples: readonly SiteSample[], startedMs: number): Promise<Decided> {
    const { policy, provider, clock } = this.#monitorContext;
    const seen = {
      nowMs: clock.now(),
      samples,
      incidents: this.#incidents,
      provider: new Map<string, boolean>(),
    };
    const gapMs = this.#gapMs + this.#busyMs + (clock.now() - startedMs);
    const first = decide(this.#memory, seen, this.#watched, gapMs);
    if (!first.queriesProvider) return first;
    try {
      const words = await providerWords(policy, provider);
      return decide(this.#memory, { ...seen, provider: words }, this.#watched, gapMs);
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      return first;
    }
  }

  async #act(decision: Decision): Promise<void> {
    const { clock } = this.#monitorContext;
    const key = incidentKey({ runbook: decision.runbook.name, site: decision.site });
    try {
      const result = await carryOut(this.#monitorContext, decision);
      this.#change(key, '', '');
      if (result === 'elsewhere') return;
      this.#memory = afterTry(this.#memory, key, { result, nowMs: clock.now() });
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      this.#change(key, `cannot act: ${error.message}`, '');
      if (decision.kind === 'open') await this.#alarm(decision, error.message);
    }
  }

  /** People are told even when the zone can be neither locked nor changed; once, as long as it lasts. */
  async #alarm({ runbook, site }: Decision, reason: string): Promise<void> {
    const { policy, clock, webhooks } = this.#monitorContext;
    const key = incidentKey({ runbook: runbook.name, site });
    if (this.#alarmed.has(key)) return;
    this.#alarmed.add(key);
    const notice: Notice = {
      event: 'stuck',
      zone: policy.zone,
      runbook: runbook.name,
      site,
      text: `${policy.zone}: ${runbook.description} (${site}), and the monitor cannot act`,
      details: [reason],
      at: new Date(clock.now()).toISOString(),
      dedupKey: dedupKey(policy.zone, { runbook: runbook.name, site }),
    };
    for (const action of runbook.actions) {
      const webhook = action.do === 'notify' ? webhooks.get(action.to) : undefined;
      if (action.do !== 'notify' || webhook === undefined) continue;
      try {
        await send(action, notice, { webhook, clock });
      } catch (error) {
        if (!(error instanceof TrafficError)) throw error;
        this.#change(`notify ${action.to}`, error.message, '');
      }
    }
  }

  /** Says it when it is not what was said last; `usual` is not worth saying at first. */
  #change(what: string, text: string, usual: string): void {
    if ((this.#reportedOf.get(what) ?? usual) === text) return;
    this.#reportedOf.set(what, text);
    if (text !== '') this.#monitorContext.report(`${what}: ${text}`);
  }
}

function wordOf({ disagreed }: Decided, site: string): string {
  const word = disagreed.get(site);
  if (word === undefined) return '';
  return word
    ? 'its checks find it healthy, so nothing is done'
    : 'its checks find it unhealthy, so it is not let back in';
}
