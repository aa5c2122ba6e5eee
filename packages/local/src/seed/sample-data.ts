/** Sample items, with fixed ids, so that writing them again changes nothing. Those of entities are in their declarations. */

export interface SampleItem {
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const ITEMS: readonly SampleItem[] = [
  { id: 'tea', data: { name: 'Tea', priceCents: 490, currency: 'EUR', tags: ['drink', 'hot'] } },
  { id: 'coffee', data: { name: 'Coffee', priceCents: 890, currency: 'EUR', tags: ['drink', 'hot'] } },
  { id: 'lemonade', data: { name: 'Lemonade', priceCents: 290, currency: 'EUR', tags: ['drink', 'cold'] } },
  { id: 'bicycle', data: { name: 'Tandem bicycle', priceCents: 149_900, currency: 'EUR', seats: 2 } },
  { id: 'bell', data: { name: 'Bicycle bell', priceCents: 1_250, currency: 'EUR' } },
];
