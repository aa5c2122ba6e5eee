/** A supervisor that can be killed: keeps the processes of the plans (its argument, as JSON) until it ends. */
import { Supervisor, type SupervisorOptions } from '@tandem-clouds/local/stack/supervise';

const options = JSON.parse(process.argv[2] ?? '') as Pick<
  SupervisorOptions,
  'plans' | 'cwd' | 'runDir' | 'logsDir'
>;
const ignore = (): void => undefined;
const supervisor = new Supervisor({
  ...options,
  onLine: (name, line) => {
    if (line.startsWith('warning:')) process.stdout.write(`${name} ${line}\n`);
  },
  onChange: ignore,
  onDeath: ignore,
});
supervisor.start();
await supervisor.whenReady();
process.stdout.write('ready\n');
