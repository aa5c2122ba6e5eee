/** `npm run generate` without the command line around it, for the watch of `npm start`. */
import { flushCompileCache } from 'node:module';
import { generate } from './generate.ts';

process.exitCode = await generate({ check: false });
flushCompileCache();
