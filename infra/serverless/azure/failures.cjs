'use strict';
/** Repairs 21 to 24: what a person is told when Azure says no. */

/**
 * A template that Azure refuses ends in "See inner errors for details" without them; and when an earlier deployment of
 * the group had failed, that one's error is reported in place of this one's. Azure's own words, with all inner ones,
 * take their place.
 */
exports.explainFailedDeployment = () => {
  const { ArmService } = require('serverless-azure-functions/lib/services/armService');
  const { deployTemplate } = ArmService.prototype;
  ArmService.prototype.deployTemplate = async function deployOrReportWhy(deployment) {
    const { deployments } = this.resourceClient;
    const { createOrUpdate } = deployments;
    let cause;
    deployments.createOrUpdate = async (...args) => {
      try {
        return await createOrUpdate.apply(deployments, args);
      } catch (error) {
        cause = reasonOf(error);
        throw error;
      }
    };
    try {
      return await deployTemplate.call(this, deployment);
    } catch (error) {
      throw cause ?? error;
    }
  };
};

function reasonOf(error) {
  const reported = error.body?.error ?? error.body;
  return reported?.code ? new Error(`deployment: ${inWords(reported)}`, { cause: error }) : error;
}

/** An error of Resource Manager, and below it those that it is about. */
function inWords({ code, message, details = [] }, indent = '') {
  const below = details.map((detail) => `\n${inWords(detail, `${indent}  `)}`);
  return `${indent}${code}: ${message}${below.join('')}`;
}

/**
 * Whatever goes wrong when the plugin looks for the resource group is taken for "there is none": `sls remove` with an
 * expired token, or in another subscription, says that the group does not exist, and succeeds.
 */
exports.distinguishMissingGroupFromRefusal = () => {
  const { ResourceService } = require('serverless-azure-functions/lib/services/resourceService');
  ResourceService.prototype.getResourceGroup = async function getGroup() {
    try {
      return await this.resourceClient.resourceGroups.get(this.resourceGroup);
    } catch (error) {
      if (error.code === 'ResourceGroupNotFound') return undefined;
      throw error;
    }
  };
};

/** Everything that was tried is a list of ten lines, of which nine are about other ways to sign in. */
exports.explainSignIn = (error) => {
  const how =
    'sign in with `az login`; a pipeline sets AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE';
  throw new Error(`no login to Azure: ${how}. What was tried:\n${error.message}`, { cause: error });
};

/** Without a subscription the plugin ends in "'subscriptionId' cannot be null". */
exports.requireSubscription = ({ service, variables }, options) => {
  const { subscriptionId } = service.provider;
  const given = options.subscriptionId ?? process.env.AZURE_SUBSCRIPTION_ID ?? subscriptionId;
  if (!(given ?? variables.subscriptionId)) {
    throw new Error('no subscription: set AZURE_SUBSCRIPTION_ID, or pass --subscriptionId');
  }
};
