/** The zone's incidents while the lock is held. What it says is what the zone says: nobody else changes them meanwhile. */
import { type Change, keyOf, type ZoneRecord } from '@tandem-clouds/zone/model';
import { type Incident, incidentKey, incidentsChange, incidentsIn, withIncident } from '../incidents.ts';
import { type Overrides, overridesIn } from '../overrides.ts';
import type { Provider } from '../provider.ts';

export class Ledger {
  readonly #provider: Provider;
  #records: readonly ZoneRecord[];

  private constructor(provider: Provider, records: readonly ZoneRecord[]) {
    this.#provider = provider;
    this.#records = records;
  }

  static async open(provider: Provider): Promise<Ledger> {
    return new Ledger(provider, (await provider.read()).records);
  }

  /** As they were when it was opened. */
  get overrides(): Overrides {
    return overridesIn(this.#records, this.#provider.zone);
  }

  find(key: string): Incident | undefined {
    return this.#incidents().find((incident) => incidentKey(incident) === key);
  }

  /** What writing it would change; undefined when the zone says so already. */
  changeTo(incident: Incident): Change | undefined {
    return incidentsChange(this.#records, this.incidentsWith(incident), this.#provider.zone);
  }

  /** All that the zone would say with this one. */
  incidentsWith(incident: Incident): readonly Incident[] {
    return withIncident(this.#incidents(), incident);
  }

  /** To be called when a change was made by other means. */
  made({ before, after }: Change): void {
    const record = before ?? after;
    if (record === undefined) return;
    const others = this.#records.filter((one) => keyOf(one) !== keyOf(record));
    this.#records = after === undefined ? others : [...others, after];
  }

  async write(incident: Incident): Promise<void> {
    const change = this.changeTo(incident);
    if (change === undefined) return;
    await this.#provider.apply([change], (done) => this.made(done));
  }

  #incidents(): readonly Incident[] {
    return incidentsIn(this.#records, this.#provider.zone);
  }
}
