/** The compiled schema of the steps of a comparison, as the protocols take it. */
import type { EventCheck } from '@tandem-clouds/replication/event';
import { step } from '../generated/validators.js';
import { validate } from './validate.ts';

export const checkStep: EventCheck = (value) => validate(step, value);
