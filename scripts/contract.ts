/** `npm run contract -- <url>`: does this site answer as openapi.yaml says? Exit status: 0, 1 when it does not, 2 for a wrong command line. */
import { contract } from './rollout/contract.ts';

const [url, ...rest] = process.argv.slice(2);
if (url === undefined || !URL.canParse(url) || rest.length > 0) {
  process.stderr.write('Usage: npm run contract -- <url>\n');
  process.exitCode = 2;
} else {
  const { checked, broken } = await contract(url);
  for (const line of broken) console.log(`FAILED  ${line}`);
  console.log(`${checked} answers checked, ${broken.length} breaches of openapi.yaml`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
