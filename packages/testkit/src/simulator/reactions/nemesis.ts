/** What befalls a service that reacts: a provider that is down, a site that stands still for a day, one that is lost. */
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import { compareSurvivors } from '../survivors.ts';
import type { ReactionFaults } from './faults.ts';
import type { Reacting } from './reacting.ts';

const HOUR_MS = 3_600_000;

/** Enters it all into the agenda. Returns when clients and faults are done. */
export function scheduleReactionNemesis(reacting: Reacting, faults: ReactionFaults): number {
  const { agenda, random } = reacting.world;
  reacting.purged = faults.purge > 0;
  for (let i = 0; i < Math.floor(faults.providerDown); i += 1) {
    const fromMs = random.between(0, TRAFFIC_MS);
    agenda.at(fromMs, () => (reacting.provider.down = true));
    agenda.at(fromMs + random.between(10_000, 240_000), () => (reacting.provider.down = false));
  }
  if (faults.loss > 0) agenda.at(random.between(0.2, 0.8) * TRAFFIC_MS, () => lose(reacting));
  return faults.stallHours > 0 ? scheduleStall(reacting, faults.stallHours) : TRAFFIC_MS;
}

/** Just after an effect has come about, so that its result is not written until the provider may have forgotten it. */
function scheduleStall({ world, provider }: Reacting, hours: number): number {
  const { agenda, random } = world;
  const fromMs = random.between(0.2, 0.8) * TRAFFIC_MS;
  const untilMs = fromMs + hours * HOUR_MS;
  agenda.at(fromMs, () => {
    provider.onPerformed = (site) => {
      provider.onPerformed = () => undefined;
      site.halted = true;
      agenda.at(untilMs, () => (site.halted = false));
    };
  });
  return untilMs + 300_000;
}

/** A site vanishes; operators fence it, and have its heir take over what it has left. */
function lose(reacting: Reacting): void {
  const { world } = reacting;
  const { agenda, random } = world;
  const site = random.pick(world.sites);
  const survivors = world.sites.filter((other) => other !== site);
  site.lost = true;
  reacting.lost = site;
  for (const survivor of survivors)
    agenda.after(random.between(1_000, 120_000), () => {
      survivor.peers = survivor.peers.filter((peer) => peer !== site.name);
      survivor.retired = [site.name];
    });
  // A lost site has told some what it told no other, and nobody passes on what he has only received.
  every(reacting, 60_000, () => compareSurvivors(world, survivors));
  const heir = [...survivors].sort((a, b) => (a.name < b.name ? -1 : 1))[0];
  if (heir !== undefined)
    for (const ms of TAKE_OVERS_MS) agenda.after(ms, () => takeOver(reacting, heir, site));
}

/** Once all is configured, and again: a part may fail. */
const TAKE_OVERS_MS = [150_000, 900_000, HOUR_MS] as const;

function takeOver(reacting: Reacting, heir: SimSite, { name }: SimSite): void {
  reacting.takeOver(heir, name);
}

function every(reacting: Reacting, ms: number, act: () => void): void {
  if (reacting.world.agenda.nowMs > reacting.closesAtMs) return;
  reacting.world.agenda.after(ms, () => {
    act();
    every(reacting, ms * 1.3, act);
  });
}
