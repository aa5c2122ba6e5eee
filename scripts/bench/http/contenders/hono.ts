/** Hono as its users write it: headers by middleware. */
import { honoWithMiddleware } from './hono-app.ts';
import { honoOnAzure, honoOnLambda } from './hono-entry.ts';

export const lambda = honoOnLambda(honoWithMiddleware);
export const azure = honoOnAzure(honoWithMiddleware);
