/** `npm start`, the same as `npm run tandem -- start`. */
import { main } from './commands/main.ts';

await main(['start', ...process.argv.slice(2)], ['start']);
