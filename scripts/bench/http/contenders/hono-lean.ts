/** Hono at its fastest: no middleware at all. */
import { honoInOneGo } from './hono-app.ts';
import { honoOnAzure, honoOnLambda } from './hono-entry.ts';

export const lambda = honoOnLambda(honoInOneGo);
export const azure = honoOnAzure(honoInOneGo);
