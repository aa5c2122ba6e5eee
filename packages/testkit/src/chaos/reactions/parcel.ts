/**
 * What is reacted to: a parcel whose customer is to be told of each place that it comes to, once. It is put into a copy of the
 * project as a user would put it there.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { copyProject } from '../../cluster/project-copy.ts';
import type { Random } from '../../random.ts';
import { Provider } from './provider.ts';

export const COLLECTION = 'parcels';
export const ENTITY = 'parcel';

/** The file, for a provider that listens at this URL. */
function declaration(provider: string): string {
  return `import { defineEntity } from '../domain/define-entity.ts';

export const parcel = defineEntity({
  name: 'parcel',
  collection: 'parcels',
  idField: 'parcelId',
  description: 'A parcel on its way',
  required: ['place'],
  fields: {
    place: { type: 'string', minLength: 1, maxLength: 200 },
    told: { type: 'string', maxLength: 200, by: 'reaction' },
  },
  reactions: {
    tell: {
      on: ['place'],
      when: ({ place, told }) => place !== told,
      async run({ id, place }, { effectId, site, services }) {
        await services.http.json({
          url: ${JSON.stringify(provider)},
          json: { key: \`parcel:\${id}\`, change: place, site },
          idempotencyKey: effectId,
        });
        return { told: place };
      },
    },
  },
  example: { place: 'depot' },
});
`;
}

/** Runs `use` with a provider, and the folder of a copy of the project in which there are parcels. */
export async function withParcels<T>(
  random: Random,
  use: (parts: { readonly project: string; readonly provider: Provider }) => Promise<T>,
): Promise<T> {
  const project = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-parcels-'));
  const provider = await Provider.open(random);
  try {
    copyProject(project);
    fs.writeFileSync(path.join(project, 'src/shared/entities/parcel.ts'), declaration(provider.url));
    return await use({ project, provider });
  } finally {
    await provider.close();
    fs.rmSync(project, { recursive: true, force: true });
  }
}
