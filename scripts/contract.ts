/** `npm run contract -- <url>`: does this site answer as openapi.yaml says? Exit status: 0, 1 when it does not, 2 for a wrong command line. */
import { runCommand } from './command/run-command.ts';
import { UsageError } from './command/usage-error.ts';
import { contract } from './rollout/contract.ts';

await runCommand(async () => {
  const [url, ...rest] = process.argv.slice(2);
  if (url === undefined || !URL.canParse(url) || rest.length > 0)
    throw new UsageError('Usage: npm run contract -- <url>');
  const { checked, broken } = await contract(url);
  for (const line of broken) console.log(`FAILED  ${line}`);
  console.log(`${checked} answers checked, ${broken.length} breaches of openapi.yaml`);
  return broken.length === 0 ? 0 : 1;
});
