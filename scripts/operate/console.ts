/** `tandem console`: the page over both clouds, on this machine, where the operator's key is. */
import { once } from 'node:events';
import path from 'node:path';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { openConsole } from '@tandem-clouds/console/open-console';
import { findTargets, TargetError } from '@tandem-clouds/operator/targets';
import type { ConsoleOptions } from './options.ts';

/** Until Ctrl-C. Returns the exit status. @throws TargetError when there is nobody to ask, or no key, or the port is taken */
export async function serveConsole(options: ConsoleOptions, context: CommandContext): Promise<number> {
  const { port, audit, json } = options;
  const { out, err, signal } = context;
  if (findTargets(options).some(({ operatorKey }) => operatorKey === undefined))
    throw new TargetError('no operator key: set TANDEM_OPERATOR_KEY to one that the sites accept');
  const auditFile = path.resolve(audit);
  const server = openConsole(options, auditFile);
  let address: string;
  try {
    address = await server.listen(port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw cause;
    throw new TargetError(
      `port ${port} is taken, maybe by the console of npm start: name another with --port`,
      {
        cause,
      },
    );
  }
  out(json ? `${JSON.stringify({ address, audit: auditFile })}\n` : `${address}\n`);
  if (!json) err(`Open it in a browser. What is done is written to ${auditFile}. Ctrl-C ends it.\n`);
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
  return 0;
}
