/** Ours, with one line in the log for every request. The bundle is built for one cloud, so it holds one of the two. */
import { oursLoggingFrom } from './ours-service.ts';

const handler = oursLoggingFrom('info');

export { handler as azure, handler as lambda };
