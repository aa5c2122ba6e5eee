/** Where capacity is changed: `TANDEM_CAPACITY`, and what opens it. The SDKs load when a site needs them. */
import type { Clock } from '../../provider.ts';
import { entriesOf } from '../json-object.ts';
import type { LambdaPlace } from './lambda.ts';
import type { Scaler, Scalers } from './level.ts';

/** Of a site; what it does not have is left out. */
export interface CapacityPlace {
  readonly lambda?: LambdaPlace;
  /** Resource id of a function app. */
  readonly app?: string;
  /** Resource id of a container of Cosmos DB. */
  readonly container?: string;
}

const SCOPE = 'https://management.azure.com/.default';
const APP = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Web\/sites\/[^/]+$/;
const CONTAINER =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.DocumentDB\/databaseAccounts\/[^/]+\/sqlDatabases\/[^/]+\/containers\/[^/]+$/;
const FUNCTION = /^[\w-]{1,64}$/;

/** Adds what is wrong to `mistakes`. */
export function placesOf(text: string | undefined, mistakes: string[]): ReadonlyMap<string, CapacityPlace> {
  const places = new Map<string, CapacityPlace>();
  for (const [site, place] of entriesOf(text, { name: 'TANDEM_CAPACITY', of: 'sites' }, mistakes)) {
    const wrong = mistakesIn(place);
    mistakes.push(...wrong.map((mistake) => `TANDEM_CAPACITY: ${site}${mistake}`));
    if (wrong.length === 0) places.set(site, place as CapacityPlace);
  }
  return places;
}

function mistakesIn(place: unknown): string[] {
  if (typeof place !== 'object' || place === null) return [' is not an object'];
  const { lambda, app, container, ...others } = place as Record<string, unknown>;
  return [
    ...Object.keys(others).map((name) => `.${name} is unknown; there are lambda, app, container`),
    ...(lambda === undefined || isLambda(lambda) ? [] : ['.lambda needs region, functions and alias']),
    ...(app === undefined || matches(APP, app) ? [] : ['.app is no resource id of a function app']),
    ...(container === undefined || matches(CONTAINER, container)
      ? []
      : ['.container is no resource id of a container']),
  ];
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isLambda(value: unknown): value is LambdaPlace {
  if (typeof value !== 'object' || value === null) return false;
  const { region, functions, alias } = value as Record<string, unknown>;
  const areNames = Array.isArray(functions) && functions.every((name) => matches(FUNCTION, name));
  return matches(/^[a-z0-9-]+$/, region) && matches(/^[\w-]+$/, alias) && areNames;
}

export async function openScalers(
  places: ReadonlyMap<string, CapacityPlace>,
  clock: Clock,
): Promise<Scalers> {
  const sites = [...places].map(async ([site, place]) => [site, await scalersOf(place, clock)] as const);
  return new Map(await Promise.all(sites));
}

async function scalersOf({ lambda, app, container }: CapacityPlace, clock: Clock): Promise<Scaler[]> {
  const scalers: Scaler[] = [];
  if (lambda !== undefined) {
    const { provisionedConcurrency } = await import('./lambda.ts');
    scalers.push(provisionedConcurrency({ clock, place: lambda }));
  }
  if (app === undefined && container === undefined) return scalers;
  const [{ DefaultAzureCredential }, { resourceManager }] = await Promise.all([
    import('@azure/identity'),
    import('./resource-manager.ts'),
  ]);
  const credential = new DefaultAzureCredential();
  const manager = resourceManager({
    clock,
    token: async () => (await credential.getToken(SCOPE)).token,
  });
  if (app !== undefined) scalers.push((await import('./flex.ts')).alwaysReady(manager, app));
  if (container !== undefined)
    scalers.push((await import('./cosmos.ts')).cosmosMaxThroughput(manager, container));
  return scalers;
}
