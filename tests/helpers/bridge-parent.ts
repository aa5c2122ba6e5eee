/** A parent that can be killed: runs the triggers of a plan (a JSON file) and prints the process id of the bridge. */
import fs from 'node:fs';
import { BridgeSupervisor } from '@tandem-clouds/local/aws-host/bridge-supervisor';
import type { BridgePlan } from '@tandem-clouds/local/aws-host/plan';

const plan = JSON.parse(fs.readFileSync(String(process.argv[2]), 'utf8')) as BridgePlan;
const supervisor = new BridgeSupervisor({
  env: process.env,
  print: (line) => {
    process.stderr.write(`${line}\n`);
  },
});
await supervisor.start(plan);
process.stdout.write(`${supervisor.pid ?? ''}\n`);
