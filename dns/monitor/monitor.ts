/**
 * Looks, decides, acts, and says what has changed. Any number of monitors may do so: what must not happen twice is
 * decided by the zone's lock and by what the zone says (carry-out.ts).
 */
import { TrafficError } from '../errors.ts';
import type { Acting } from './monitor-context.ts';
import { dedupKey } from './actions.ts';
import { carryOut } from './carry-out.ts';
import {
  afterTry,
  decide,
  NO_MEMORY,
  type Decided,
  type Decision,
  type Memory,
  type SiteLook,
  type Watched,
} from './decide.ts';
import { lookAt, providerWords } from './sample.ts';
import { send, type Notice } from './notify.ts';
import { incidentKey, incidentsIn, type Incident } from '../incidents.ts';
import { sitesOf, type Runbook } from './runbook.ts';

export interface MonitorOptions {
  readonly acting: Acting;
  readonly runbooks: readonly Runbook[];
  readonly intervalMs: number;
  /** The longest time between two looks that still follow each other. */
  readonly gapMs: number;
}

export class Monitor {
  readonly #acting: Acting;
  readonly #watched: readonly Watched[];
  readonly #intervalMs: number;
  readonly #gapMs: number;
  #memory: Memory = NO_MEMORY;
  #incidents: readonly Incident[] = [];
  #pending = false;
  /** How long the last look and what followed from it took: a provider in trouble takes its time. */
  #busyMs = 0;
  /** What was said last of each thing. */
  readonly #saidOf = new Map<string, string>();
  /** Triggers that people were told of although nothing could be done. */
  readonly #alarmed = new Set<string>();

  constructor({ acting, runbooks, intervalMs, gapMs }: MonitorOptions) {
    this.#acting = acting;
    this.#watched = runbooks.map((runbook) => ({ runbook, sites: sitesOf(runbook, acting.policy) }));
    this.#intervalMs = intervalMs;
    this.#gapMs = gapMs;
  }

  /** Until the signal. */
  async watch(): Promise<void> {
    const { clock, signal } = this.#acting;
    while (!signal.aborted) {
      await this.look();
      await clock.sleep(this.#intervalMs, signal);
    }
  }

  /** As many looks as it takes until nothing is about to be decided, for so long at most. True when the zone was read. */
  async round(atMostMs: number): Promise<boolean> {
    const { clock, signal } = this.#acting;
    const untilMs = clock.now() + atMostMs;
    let isRead = await this.look();
    while (this.#pending && clock.now() + this.#intervalMs < untilMs && !signal.aborted) {
      await clock.sleep(this.#intervalMs, signal);
      isRead = await this.look();
    }
    return isRead;
  }

  /** One look, and what follows from it. False when the zone could not be read. */
  async look(): Promise<boolean> {
    const { clock } = this.#acting;
    const startedMs = clock.now();
    const isRead = await this.#lookAndAct(startedMs);
    this.#busyMs = Math.max(0, clock.now() - startedMs);
    return isRead;
  }

  async #lookAndAct(startedMs: number): Promise<boolean> {
    const { policy, observe } = this.#acting;
    const sites = [...new Set(this.#watched.flatMap((one) => one.sites))];
    const [looks, isRead] = await Promise.all([lookAt(sites, policy, observe), this.#readIncidents()]);
    for (const { site, up } of looks) {
      this.#change(site, up ? 'answers' : 'does not answer here', 'answers');
    }
    const decided = await this.#decide(looks, startedMs);
    this.#memory = decided.memory;
    this.#pending = decided.pending;
    for (const site of sites) this.#change(`${site}, the provider`, wordOf(decided, site), '');
    for (const key of this.#alarmed) if (!decided.memory.bad.has(key)) this.#alarmed.delete(key);
    for (const decision of decided.decisions) await this.#act(decision);
    return isRead;
  }

  /** An outage of the provider keeps what was known. */
  async #readIncidents(): Promise<boolean> {
    const { provider, policy } = this.#acting;
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
  async #decide(looks: readonly SiteLook[], startedMs: number): Promise<Decided> {
    const { policy, provider, clock } = this.#acting;
    const seen = {
      nowMs: clock.now(),
      looks,
      incidents: this.#incidents,
      provider: new Map<string, boolean>(),
    };
    const gapMs = this.#gapMs + this.#busyMs + (clock.now() - startedMs);
    const first = decide(this.#memory, seen, this.#watched, gapMs);
    if (!first.asksProvider) return first;
    try {
      const words = await providerWords(policy, provider);
      return decide(this.#memory, { ...seen, provider: words }, this.#watched, gapMs);
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      return first;
    }
  }

  async #act(decision: Decision): Promise<void> {
    const { clock } = this.#acting;
    const key = incidentKey({ runbook: decision.runbook.name, site: decision.site });
    try {
      const outcome = await carryOut(this.#acting, decision);
      this.#change(key, '', '');
      if (outcome === 'elsewhere') return;
      this.#memory = afterTry(this.#memory, key, { outcome, nowMs: clock.now() });
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      this.#change(key, `cannot act: ${error.message}`, '');
      if (decision.kind === 'open') await this.#alarm(decision, error.message);
    }
  }

  /** People are told even when the zone can be neither locked nor changed; once, as long as it lasts. */
  async #alarm({ runbook, site }: Decision, reason: string): Promise<void> {
    const { policy, clock, webhooks } = this.#acting;
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
    if ((this.#saidOf.get(what) ?? usual) === text) return;
    this.#saidOf.set(what, text);
    if (text !== '') this.#acting.say(`${what}: ${text}`);
  }
}

function wordOf({ disagreed }: Decided, site: string): string {
  const word = disagreed.get(site);
  if (word === undefined) return '';
  return word
    ? 'its checks find it healthy, so nothing is done'
    : 'its checks find it unhealthy, so it is not let back in';
}
