'use strict';
/**
 * Serverless plugin of both definitions, listed first: `sls offline` and `sls invoke local` without addresses of
 * services bring their own emulators and never reach a cloud account. The work is in scripts/local/alone.
 */
const ADDRESSES = {
  aws: ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_SQS'],
  azure: ['COSMOS_ENDPOINT', 'SERVICE_BUS_CONNECTION', 'ServiceBus'],
};

/** The CLI writes the error after the hooks for it have run. */
const REPORTED_WITHIN_MS = 300;

module.exports = class LocalEmulators {
  hooks = {};

  constructor(serverless, options) {
    const command = serverless.processedInput.commands.join(' ');
    if (command === 'offline' && !hasAddresses(serverless)) {
      this.hooks.initialize = () => offline(serverless, options);
    }
    // The bundler and the triggers have begun by then, and would keep a process alive that serves nothing.
    if (command === 'offline')
      this.hooks.error = () => void setTimeout(() => process.exit(1), REPORTED_WITHIN_MS);
    if (command === 'invoke local') this.#invokeLocal(serverless, options);
  }

  #invokeLocal(serverless, options) {
    let invocation;
    this.hooks.initialize = async () => {
      const { LocalInvocation } = await import('../local/alone/invoke-local.ts');
      invocation = new LocalInvocation(serverless, options, { hasAddresses: hasAddresses(serverless) });
      await invocation.begin();
    };
    this.hooks['before:invoke:local:invoke'] = () => invocation.giveEvent();
    this.hooks.finalize = () => invocation.end();
    this.hooks.error = () => invocation.end();
  }
};

function hasAddresses({ service }) {
  return ADDRESSES[service.provider.name].some((name) => process.env[name] !== undefined);
}

/** Never returns to the CLI in the ordinary case: what it would go on with runs in a process of its own. */
async function offline(serverless, options) {
  const { runSite } = await import('../local/alone/site-run.ts');
  const { siteOptions } = await import('../local/alone/site-options.ts');
  await runSite(siteOptions(serverless, options, process.argv.slice(2)));
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(0);
}
