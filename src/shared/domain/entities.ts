/** Every declared entity: what the generator of validators and of the contract reads. */
import type { Entity } from './entity.ts';
import { user } from './entities/user.ts';

export const entities: readonly Entity[] = [user];
