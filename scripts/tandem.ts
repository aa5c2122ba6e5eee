/** `npm run tandem -- <command>`: everything that this project can be told to do. `--help` lists the commands. */
import { main } from './commands/main.ts';

await main(process.argv.slice(2), ['tandem', 'bench', 'generate', 'package', 'test:peers']);
