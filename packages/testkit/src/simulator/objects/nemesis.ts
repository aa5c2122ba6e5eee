/** What befalls storages, beside what befalls the world: outages, rot, clean-ups, a site that is away for a day, one that is lost. */
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import { compareSurvivors } from '../survivors.ts';
import type { HeldWatcher } from './checkers.ts';
import type { ObjectFaults } from './faults.ts';
import type { Holding } from './holding.ts';
import type { Clients } from './traffic.ts';

const ROT_AGAIN_MS = [300_000, 700_000] as const;
const HOUR_MS = 3_600_000;
/** Once all is configured, and again: a part may fail. */
const TAKE_OVERS_MS = [150_000, 900_000, HOUR_MS] as const;

/** Enters it all into the agenda. Returns when clients and faults are done. */
export function scheduleObjectNemesis(
  holding: Holding,
  faults: ObjectFaults,
  { clients, watcher }: { readonly clients: Clients; readonly watcher: HeldWatcher },
): number {
  const { world, storages } = holding;
  const { agenda, random } = world;
  const times = (count: number, act: (site: SimSite) => void): void => {
    for (let i = 0; i < Math.floor(count); i += 1) {
      const site = random.pick(world.sites);
      agenda.at(random.between(0.1, 1) * TRAFFIC_MS, () => act(site));
    }
  };
  times(faults.storageDown, (site) => {
    const storage = storages.of(site.name);
    storage.outages += 1;
    const end = world.begin('the storage is down', [site.name]);
    agenda.after(random.between(5_000, 240_000), () => {
      storage.outages = Math.max(0, storage.outages - 1);
      end();
    });
  });
  times(faults.rot, (site) => {
    const name = storages.rot(site);
    if (name === undefined) return;
    watcher.damaged(site, name);
    // Once it is mended, perhaps, the same befalls it wherever it has come from.
    agenda.after(random.between(...ROT_AGAIN_MS), () => {
      for (const other of world.sites)
        if (other !== site && storages.rot(other, name) !== undefined) watcher.damaged(other, name);
    });
  });
  times(faults.expire, (site) => storages.expire(site));
  if (faults.loss > 0) agenda.at(random.between(0.2, 0.9) * TRAFFIC_MS, () => lose(holding));
  return faults.awayHours > 0 ? scheduleAway(holding, clients, faults.awayHours) : TRAFFIC_MS;
}

/** Just after something has come to its storage: the others know of it, perhaps, and cannot have it. */
function scheduleAway({ world }: Holding, clients: Clients, hours: number): number {
  const { agenda, random } = world;
  const fromMs = random.between(0.3, 0.8) * TRAFFIC_MS;
  const untilMs = fromMs + hours * HOUR_MS;
  agenda.at(fromMs, () => {
    clients.onUploaded = (site) => {
      clients.onUploaded = () => undefined;
      agenda.after(random.between(100, 20_000), () => {
        site.halted = true;
        agenda.at(untilMs, () => (site.halted = false));
      });
    };
  });
  return untilMs + 300_000;
}

/** A site vanishes with its storage; operators fence it, and have its heir take over what it has left. */
function lose(holding: Holding): void {
  const { world } = holding;
  const { agenda, random } = world;
  const site = random.pick(world.sites);
  const survivors = world.sites.filter((other) => other !== site);
  site.lost = true;
  holding.lost = site;
  for (const survivor of survivors)
    agenda.after(random.between(1_000, 120_000), () => {
      survivor.peers = survivor.peers.filter((peer) => peer !== site.name);
      survivor.retired = [site.name];
    });
  // A lost site has told some what it told no other, and nobody passes on what he has only received.
  every(holding, 60_000, () => compareSurvivors(world, survivors));
  const heir = [...survivors].sort((a, b) => (a.name < b.name ? -1 : 1))[0];
  if (heir !== undefined)
    for (const ms of TAKE_OVERS_MS) agenda.after(ms, () => holding.takeOver(heir, site.name));
}

function every(holding: Holding, ms: number, act: () => void): void {
  if (holding.world.agenda.nowMs > holding.closesAtMs) return;
  holding.world.agenda.after(ms, () => {
    act();
    every(holding, ms * 1.3, act);
  });
}
