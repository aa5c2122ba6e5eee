/** The compiled schema of replication events, as the protocols take it. */
import type { EventCheck } from '@tandem-clouds/replication/event';
import { event } from '../generated/validators.js';
import { validate } from './validate.ts';

export const checkEvent: EventCheck = (value) => validate(event, value);
