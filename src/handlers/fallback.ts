/** Every path that no other function has: a problem document instead of the platform's own page. */
import { openRuntime, serve } from '../shared/runtime.ts';

export const handler = serve(openRuntime(), []);
