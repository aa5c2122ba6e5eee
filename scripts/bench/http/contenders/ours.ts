/** Ours, with a line in the log only when something is wrong. The bundle is built for one cloud, so it holds one of the two. */
import { oursLoggingFrom } from './ours-service.ts';

const handler = oursLoggingFrom('warn');

export { handler as azure, handler as lambda };
