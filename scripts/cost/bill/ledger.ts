/**
 * What a month's charges come to, added up while they are read.
 *
 * Invariant: what is held grows with the services, tags and days of the bills, not with their rows. Currencies are never
 * added to each other.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { BilledCloud, Category, Charge } from './charge.ts';
import { modelService } from './services.ts';

/** Amounts of some charges, in their currency. */
export interface Sum {
  billed: number;
  effective: number;
  /** List cost; where the source names none, what is effective. */
  list: number;
  rows: number;
}

/** What a sum is of. */
export interface Part {
  readonly cloud: BilledCloud;
  readonly service: string;
  /** The model's name of the service; undefined: it has none. */
  readonly model: string | undefined;
  readonly entity: string;
  readonly stage: string;
  readonly site: string;
  readonly currency: string;
  readonly category: Category;
  readonly hasList: boolean;
}

/** A day of a service's usage, by the unit that is billed. */
export interface Usage {
  cost: number;
  quantity: number;
}

export interface Series {
  readonly cloud: BilledCloud;
  readonly service: string;
  readonly currency: string;
  /** By day, then by unit. */
  readonly days: Map<string, Map<string, Usage>>;
}

/** Which charges are ours. */
export interface Scope {
  /** The value of the tag `app`; undefined: all charges, whatever their tags. */
  readonly app: string | undefined;
}

/** Of no entity: what all share, and what has no tag that says so. */
export const SHARED = 'shared';
const NOT_TAGGED = '–';

export class Ledger {
  readonly #scope: Scope;
  readonly #parts = new Map<string, Part & Sum>();
  readonly #series = new Map<string, Series>();
  /** First and last day of each cloud. */
  readonly covered = new Map<BilledCloud, { from: string; to: string }>();
  /** Left out: of other applications, and of none. */
  readonly others: { rows: number; untagged: number; billed: Map<string, number> } = {
    rows: 0,
    untagged: 0,
    billed: new Map(),
  };

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  add(charge: Charge): void {
    const app = charge.tags.get('app');
    if (this.#scope.app !== undefined && app !== this.#scope.app) {
      this.others.rows += 1;
      if (app === undefined) this.others.untagged += 1;
      const { billed } = this.others;
      billed.set(charge.currency, (billed.get(charge.currency) ?? 0) + charge.billed);
      return;
    }
    this.#cover(charge);
    this.#addPart(charge);
    if (charge.category === 'Usage') this.#addDay(charge);
  }

  /** Months of which there is a charge, in order: `2026-11`. */
  months(): string[] {
    return [...new Set([...this.#parts.keys()].map((key) => key.slice(0, 7)))].sort();
  }

  parts(month: string): readonly (Part & Sum)[] {
    return [...this.#parts].filter(([key]) => key.startsWith(month)).map(([, part]) => part);
  }

  series(): readonly Series[] {
    return [...this.#series.values()];
  }

  #cover({ cloud, day }: Charge): void {
    const { from, to } = this.covered.get(cloud) ?? { from: day, to: day };
    this.covered.set(cloud, { from: day < from ? day : from, to: day > to ? day : to });
  }

  #addPart(charge: Charge): void {
    const { cloud, service, currency, category, day, tags } = charge;
    const part: Part = {
      ...{ cloud, service, currency, category, model: modelService(cloud, service) },
      entity: entityOf(charge),
      stage: tags.get('stage') ?? NOT_TAGGED,
      site: tags.get('site') ?? NOT_TAGGED,
      hasList: charge.list !== undefined,
    };
    const key = [day.slice(0, 7), ...Object.values(part).map(String)].join('\n');
    const known: Part & Sum = this.#parts.get(key) ?? { ...part, billed: 0, effective: 0, list: 0, rows: 0 };
    known.billed += charge.billed;
    known.effective += charge.effective;
    known.list += charge.list ?? charge.effective;
    known.rows += 1;
    this.#parts.set(key, known);
  }

  #addDay({ cloud, service, currency, day, effective, quantity, unit }: Charge): void {
    const key = [cloud, service, currency].join('\n');
    const series: Series = this.#series.get(key) ?? { cloud, service, currency, days: new Map() };
    const units = series.days.get(day) ?? new Map<string, Usage>();
    const usage = units.get(unit) ?? { cost: 0, quantity: 0 };
    usage.cost += effective;
    usage.quantity += quantity;
    units.set(unit, usage);
    series.days.set(day, units);
    this.#series.set(key, series);
  }
}

/** By the tag `entity`, or by the name of the function, which is that of the entity; one app serves all on Azure. */
function entityOf({ tags, resource }: Charge): string {
  const tagged = tags.get('entity');
  if (tagged !== undefined && tagged !== '') return tagged;
  const [, name] = /:function:(?:.*-)?([A-Za-z]+)(?::|$)/.exec(resource) ?? [];
  return name === undefined ? SHARED : (entityByFunction().get(name) ?? SHARED);
}

let entities: ReadonlyMap<string, string> | undefined;

/** As they are declared and deployed (`npm run generate` writes it). */
function entityByFunction(): ReadonlyMap<string, string> {
  const file = path.join(import.meta.dirname, '../../../infra/entities.json');
  entities ??= new Map(
    (JSON.parse(fs.readFileSync(file, 'utf8')) as { function: string; name: string }[]).map((entity) => [
      entity.function,
      entity.name,
    ]),
  );
  return entities;
}
