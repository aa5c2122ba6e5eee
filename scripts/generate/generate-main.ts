/** `npm run generate` without the command line around it and without the client, for the watch of `npm start`. */
import { flushCompileCache } from 'node:module';
import { generate } from './generate.ts';

process.exitCode = await generate({ check: false, client: false });
flushCompileCache();
