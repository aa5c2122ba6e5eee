/** Sample records, with fixed ids, so that writing them again changes nothing. */

export interface SampleUser {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface SampleItem {
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const user = (userId: string, name: string, plan: string): SampleUser => ({
  userId,
  name,
  email: `${userId}@example.com`,
  metadata: { plan },
});

export const USERS: readonly SampleUser[] = [
  user('ada', 'Ada Lovelace', 'pro'),
  user('alan', 'Alan Turing', 'pro'),
  user('barbara', 'Barbara Liskov', 'team'),
  user('edsger', 'Edsger Dijkstra', 'free'),
  user('frances', 'Frances Allen', 'team'),
  user('grace', 'Grace Hopper', 'pro'),
  user('katherine', 'Katherine Johnson', 'free'),
  user('leslie', 'Leslie Lamport', 'team'),
];

export const ITEMS: readonly SampleItem[] = [
  { id: 'tea', data: { name: 'Tea', priceCents: 490, currency: 'EUR', tags: ['drink', 'hot'] } },
  { id: 'coffee', data: { name: 'Coffee', priceCents: 890, currency: 'EUR', tags: ['drink', 'hot'] } },
  { id: 'lemonade', data: { name: 'Lemonade', priceCents: 290, currency: 'EUR', tags: ['drink', 'cold'] } },
  { id: 'bicycle', data: { name: 'Tandem bicycle', priceCents: 149_900, currency: 'EUR', seats: 2 } },
  { id: 'bell', data: { name: 'Bicycle bell', priceCents: 1_250, currency: 'EUR' } },
];
