'use strict';
/**
 * Serverless plugin of both definitions, listed first: `sls offline` and `sls invoke local` without addresses of
 * services bring their own emulators and never reach a cloud account. The work is in packages/local/src/one-site.
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
    if (command === 'offline') this.hooks.error = endAfterError;
    if (command === 'invoke local') this.#invokeLocal(serverless, options);
  }

  #invokeLocal(serverless, options) {
    let invocation;
    this.hooks.initialize = async () => {
      const { LocalInvocation } = await import('@tandem-clouds/local/one-site/invoke-local');
      invocation = new LocalInvocation(serverless, options, { hasAddresses: hasAddresses(serverless) });
      await invocation.begin();
    };
    this.hooks['before:invoke:local:invoke'] = () => invocation.giveEvent();
    this.hooks.finalize = () => invocation.end();
    this.hooks.error = () => invocation.end();
  }
};

/** The bundler and the triggers have begun by then, and would keep a process alive that serves nothing. */
function endAfterError(error) {
  // A mistake of whoever set the variables: the message names each, and the CLI would print a stack in its place.
  if (error.message.startsWith('configuration: ')) error.stack = undefined;
  // Otherwise the bundler finds its input closed, and says so with a page of its own stack.
  void require('esbuild').stop();
  setTimeout(() => process.exit(1), REPORTED_WITHIN_MS);
}

function hasAddresses({ service }) {
  return ADDRESSES[service.provider.name].some((name) => process.env[name] !== undefined);
}

/** Never returns to the CLI in the ordinary case: what it would go on with runs in a process of its own. */
async function offline(serverless, options) {
  const { runSite } = await import('@tandem-clouds/local/one-site/site-run');
  const { siteOptions } = await import('@tandem-clouds/local/one-site/site-options');
  try {
    await runSite(siteOptions(serverless, options, process.argv.slice(2)));
  } catch (error) {
    // Its reason is on the screen: our own stack would hide it.
    throw new serverless.classes.Error(error.message, 'TANDEM_SITE');
  }
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(0);
}
