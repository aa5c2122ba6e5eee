/** What clients ask of a service that reacts: new parcels and new places, all with a key for a retry elsewhere. */
import type { Request } from '../../cluster/request.ts';
import { CHANGED, REFUSED } from '../../history/reacted.ts';
import type { Random } from '../../random.ts';
import { COLLECTION } from './parcel.ts';

const CREATE_SHARE = 0.5;
const REFUSED_SHARE = 0.02;
/** Of the places, those of parcels that others write at the same moment. */
const CONTENDED_SHARE = 0.15;
const CONTENDED = 8;

/** A choice for `Clients`. */
export function chooseParcel(random: Random): (id: string, recent: readonly string[]) => Request {
  return (number, recent) => {
    const id = random.chance(REFUSED_SHARE) ? `${number}${REFUSED}` : number;
    if (recent.length === 0 || random.chance(CREATE_SHARE)) return createParcel(id);
    const key = random.pick(random.chance(CONTENDED_SHARE) ? recent.slice(-CONTENDED) : recent);
    return {
      id,
      kind: 'change',
      key,
      method: 'PATCH',
      path: `/${COLLECTION}/${key.slice(key.indexOf(':') + 1)}`,
      ...change(id),
    };
  };
}

export function createParcel(id: string): Request {
  return { id, kind: 'create', method: 'POST', path: `/${COLLECTION}`, ...change(id) };
}

function change(id: string): Pick<Request, 'body' | 'fields' | 'idempotencyKey'> {
  const fields = { [CHANGED]: id };
  return { body: fields, fields, idempotencyKey: id };
}
