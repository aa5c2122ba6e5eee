'use strict';
/** Repairs 14 to 20: deploying. */
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { explainSignIn: explainSignIn } = require('./failures.cjs');
const { mistakesIn } = require('../../parameters.cjs');
const { publishPackage } = require('./publish.cjs');

/** What a flag needs besides itself: another flag, or values of parameters. */
const NEEDS = {
  waf: { flag: 'cdn' },
  customDomain: { flag: 'cdn', values: ['domain'] },
  budget: { values: ['budgetFrom'] },
  raiseCapacity: { flag: 'monitor' },
  sql: { values: ['sqlAdministrator', 'sqlAdministratorName'] },
  secondRegion: { values: ['secondRegionApp', 'secondRegionGroup'] },
};
const MANAGEMENT_SCOPE = 'https://management.azure.com/.default';
/** Any well-formed id will do: a dry run calls nobody. */
const NO_SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';

/**
 * The plugin copies the provider's configuration in a constructor, before variables have values, and uses that copy
 * ever after: the resource group is called `${self:service}-…`. Forgotten here, it is made again.
 */
exports.readConfigAfterVariables = (serverless) => {
  delete serverless.variables.serverlessAzureProviderConfig;
};

/**
 * The plugin signs in through ADAL, which was switched off in 2023 ("AADSTS…" or a hang). `@azure/identity` knows
 * federated credentials (OIDC), managed identities and the Azure CLI; the login plugin stops when it finds
 * credentials set, and what is set here asks for a token only when one is used.
 */
exports.signInWithAzureIdentity = (serverless, options) => {
  let credential;
  const token = () => {
    const { DefaultAzureCredential } = require('@azure/identity');
    credential ??= new DefaultAzureCredential();
    return credential.getToken(MANAGEMENT_SCOPE).catch(explainSignIn);
  };
  serverless.variables.azureCredentials = {
    getToken: async () => {
      const { token: accessToken, expiresOnTimestamp } = await token();
      return { tokenType: 'Bearer', accessToken, expiresOn: new Date(expiresOnTimestamp) };
    },
    signRequest: async (request) => {
      request.headers.set('Authorization', `Bearer ${(await token()).token}`);
      return request;
    },
  };
  if (options.dryrun) serverless.variables.subscriptionId ??= NO_SUBSCRIPTION;
};

/**
 * The plugin reads one file, with parameters as they are. Ours is composed of parts, and a flag of the command line is
 * text: `--param features.cdn=true` would end in "expected a value of type 'Boolean'".
 */
exports.composeOwnTemplate = () => {
  const { ArmService } = require('serverless-azure-functions/lib/services/armService');
  ArmService.prototype.createDeploymentFromConfig = function createComposed() {
    return deploymentOf(this.serverless);
  };
};

async function deploymentOf({ service, serviceDir }) {
  const { composeTemplate } = await import('../../azure/template/compose-template.ts');
  const { typedParameters } = await import('../../azure/template/template-parameters.ts');
  const { file, parameters } = service.provider.armTemplate;
  const template = composeTemplate(path.join(serviceDir, file));
  return { template, parameters: typedParameters(template.parameters, parameters) };
}

/** Ends the command when a parameter or flag is wrong, whatever the command is. */
exports.checkParameters = async ({ service, serviceDir, configurationInput, classes }, { param = [] }) => {
  const { parameters } = service.provider.armTemplate;
  const mistakes = mistakesIn({
    params: configurationInput.params ?? {},
    features: service.custom.features,
    requested: param,
    needs: NEEDS,
    valueOf: (name) => parameters[name]?.value,
  });
  const { error } = await deploymentOf({ service, serviceDir }).catch((thrown) => ({ error: thrown }));
  if (error !== undefined) mistakes.push(error.message);
  if (mistakes.length > 0) throw new classes.Error(mistakes.join('; '), 'TANDEM_PARAMETERS');
};

/** Leaves the template of a deployment beside the package, for the reader and for checks. */
exports.keepTemplate = async ({ serverless, workDir }) => {
  const { template } = await deploymentOf(serverless);
  fs.writeFileSync(path.join(workDir, 'template.json'), `${JSON.stringify(template, null, 2)}\n`);
};

/**
 * `sls info --dryrun --arm` shows the plugin's built-in template, not ours, and no app settings; without `--arm` it
 * ends in a TypeError at a resource that has no location, such as a role assignment.
 */
exports.showOwnTemplateInDryRun = (options) => {
  const { ArmService } = require('serverless-azure-functions/lib/services/armService');
  const { createDeploymentFromType } = ArmService.prototype;
  ArmService.prototype.createDeploymentFromType = async function createOwnDeployment(type) {
    const { armTemplate } = this.config.provider;
    if (!armTemplate) return createDeploymentFromType.call(this, type);
    const deployment = await this.createDeploymentFromConfig(armTemplate);
    if (options.dryrun) this.applyEnvironmentVariables(deployment);
    return deployment;
  };
  const { AzureInfoService } = require('serverless-azure-functions/lib/services/infoService');
  const { parametersValueReplace } = AzureInfoService.prototype;
  AzureInfoService.prototype.parametersValueReplace = function replaceGiven(original, parameters) {
    const given = /^\[parameters\('(\w+)'\)\]$/.exec(original ?? '')?.[1];
    if (original === undefined || (given !== undefined && parameters[given] === undefined)) return original;
    return parametersValueReplace.call(this, original, parameters);
  };
};

/**
 * App settings become text of the template, and Resource Manager evaluates text in square brackets: a JSON array
 * fails the deployment ("Unable to parse language expression"). A leading bracket is quoted by doubling it, except
 * where an expression is meant.
 */
exports.quoteExpressionLikeSettings = () => {
  const { ArmService } = require('serverless-azure-functions/lib/services/armService');
  const { applyEnvironmentVariables } = ArmService.prototype;
  ArmService.prototype.applyEnvironmentVariables = function applyQuotedSettings(deployment) {
    const { provider } = this.config;
    const given = provider.environment;
    provider.environment = Object.fromEntries(
      Object.entries(given ?? {}).map(([name, value]) => [name, quoteSetting(value)]),
    );
    applyEnvironmentVariables.call(this, deployment);
    provider.environment = given;
  };
};

const EXPRESSION = /^\[(variables|parameters|reference|resourceId|format|concat)\(/;

/** @param {unknown} value @returns {unknown} */
function quoteSetting(value) {
  const isExpressionLike = typeof value === 'string' && value.startsWith('[') && value.endsWith(']');
  return isExpressionLike && !EXPRESSION.test(value) ? `[${value}` : value;
}

/**
 * The client of 2019 looks at a deployment every 30 s, whatever Azure advises (`Retry-After`): half a minute too long
 * for a small change or for a removal. Without a setting of its own it takes the advice.
 */
exports.pollAsAdvised = () => {
  const ofPlugin = createRequire(require.resolve('serverless-azure-functions/package.json'));
  const { ResourceManagementClient } = ofPlugin('@azure/arm-resources');
  Object.defineProperty(ResourceManagementClient.prototype, 'longRunningOperationRetryTimeout', {
    get: () => undefined,
    set: () => undefined,
  });
};

/**
 * The plugin posts to `/api/zipdeploy`, which Flex Consumption does not have, and reports success whatever status
 * comes back; it also copies the zip to a storage account with its key, and keys are off.
 */
exports.publishToFlexConsumption = () => {
  const { FunctionAppService } = require('serverless-azure-functions/lib/services/functionAppService');
  FunctionAppService.prototype.uploadZippedArtifactToBlobStorage = () => Promise.resolve();
  FunctionAppService.prototype.uploadZippedArtifactToFunctionApp = async function publish(app, zip) {
    await publishPackage({
      scmUrl: `https://${this.getScmDomain(app)}`,
      zip: fs.readFileSync(zip),
      bearer: await this.getAccessToken(),
      log: (line) => this.log(line),
    });
  };
};
