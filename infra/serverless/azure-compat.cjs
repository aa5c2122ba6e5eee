'use strict';
/**
 * Makes serverless-azure-functions 2.2.1 (the last release, 2022) work for Node 24, Flex Consumption and osls 4.
 * Listed before it in `plugins`. Each repair is one function that says what is broken upstream and how to see it.
 *
 * The repairs lean on the insides of the versions pinned in package.json; tests/integration/azure-package.test.ts
 * packages with the real plugins and runs the result, so an update that moves those insides is noticed.
 *
 * Invariant: nothing is written to, or deleted from, the source tree. A package is made in `.artifacts/azure`, an
 * offline site in `.esbuild/<site>`.
 */
const path = require('node:path');

const PACKAGE = path.join('.artifacts', 'azure');

module.exports = class AzureCompat {
  #serverless;
  #options;
  #offline;
  #site;

  constructor(serverless, options) {
    this.#serverless = serverless;
    this.#options = options;
    this.#offline = serverless.processedInput.commands[0] === 'offline';
    this.hooks = {
      // Variables of the service definition have their values from here on, and not yet in this constructor.
      initialize: () => this.#repair(),
      'after:package:finalize': () => this.#keepTemplate(),
      'before:deploy:deploy': () => this.#queryForSubscription(),
      'before:remove:remove': () => this.#queryForSubscription(),
      'offline:functionsUpdated:cleanup': () => this.#site?.reload(),
    };
    // serverless-esbuild spawns this command, which serverless-offline defines for AWS, after each rebuild.
    this.commands = {
      offline: { commands: { functionsUpdated: { type: 'entrypoint', lifecycleEvents: ['cleanup'] } } },
    };

    require('./end-when-failed.cjs').endWhenOfflineFails(serverless);
    require('./azure/startup.cjs').cacheCompiledCode(serverless.serviceDir);
    const commandLine = require('./azure/command-line.cjs');
    commandLine.typeCommandOptions(serverless);
    commandLine.keepQuiet(serverless);
    const runtimes = require('./azure/runtimes.cjs');
    runtimes.acceptNode24();
    runtimes.bundleForNode24();
  }

  #keepTemplate() {
    const { keepTemplate } = require('./azure/deployment.cjs');
    const workDir = path.join(this.#serverless.serviceDir, PACKAGE);
    return keepTemplate({ serverless: this.#serverless, workDir });
  }

  #queryForSubscription() {
    require('./azure/failures.cjs').requireSubscription(this.#serverless, this.#options);
  }

  async #repair() {
    const serverless = this.#serverless;
    const folder = this.#offline
      ? (process.env.TANDEM_BUILD_DIR ?? path.join('.esbuild', siteName(serverless)))
      : PACKAGE;
    const workDir = path.join(serverless.serviceDir, folder);
    const appDir = path.join(workDir, 'app');

    const layout = require('./azure/layout.cjs');
    layout.buildInto(serverless, folder);
    await layout.writeAppInsteadOfBindings({ serverless, appDir });
    layout.leaveSourceTreeAlone();
    layout.keepArtefactTogether({ serverless, workDir });
    await layout.bundleAsOneApp({ serverless, offline: this.#offline });

    const deployment = require('./azure/deployment.cjs');
    deployment.readConfigAfterVariables(serverless);
    deployment.signInWithAzureIdentity(serverless, this.#options);
    await deployment.checkParameters(serverless, this.#options);
    deployment.composeOwnTemplate();
    deployment.showOwnTemplateInDryRun(this.#options);
    deployment.quoteExpressionLikeSettings();
    deployment.pollAsAdvised();
    deployment.publishToFlexConsumption();

    const failures = require('./azure/failures.cjs');
    failures.explainFailedDeployment();
    failures.distinguishMissingGroupFromRefusal();

    if (this.#offline) {
      const offline = require('./azure/offline.cjs');
      this.#site = offline.runOwnHost({ serverless, appDir });
    }
  }
};

/** The site to run: the environment first, as for every setting of an offline run. */
function siteName(serverless) {
  return process.env.TANDEM_SITE ?? serverless.service.provider.environment.TANDEM_SITE;
}
