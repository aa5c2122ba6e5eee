'use strict';
/**
 * Serverless plugin: `deploy`, `rollback` and `remove` touch no stack but this service's own.
 *
 * The CLI goes by the stack's name alone. A stack of that name that somebody else made would be updated to this
 * template, which deletes all that was in it; or removed. Ours carries the tag `app` from its first moment
 * (provider.stackTags).
 */
const { createRequire } = require('node:module');

module.exports = class OwnStack {
  #serverless;

  constructor(serverless) {
    this.#serverless = serverless;
    const check = () => this.#check();
    this.hooks = {
      'before:aws:deploy:deploy:createStack': check,
      'before:rollback:rollback': check,
      'before:remove:remove': check,
    };
  }

  async #check() {
    const { service } = this.#serverless;
    const provider = this.#serverless.getProvider('aws');
    const name = provider.naming.getStackName();
    const tags = await tagsOf(name, await provider.getAwsSdkV3Config());
    if (tags === undefined || tags.some(({ Key, Value }) => Key === 'app' && Value === service.service))
      return;
    throw new this.#serverless.classes.Error(
      `The stack ${name} in ${provider.getRegion()} is not this service's: it has no tag app=${service.service}. ` +
        'It was left as it is. Choose another --stage, account or region.',
      'TANDEM_FOREIGN_STACK',
    );
  }
};

/** Undefined when there is no such stack. */
async function tagsOf(name, config) {
  const ofCli = createRequire(require.resolve('serverless/package.json'));
  const { CloudFormationClient, DescribeStacksCommand } = ofCli('@aws-sdk/client-cloudformation');
  try {
    const { Stacks } = await new CloudFormationClient(config).send(
      new DescribeStacksCommand({ StackName: name }),
    );
    return Stacks[0].Tags ?? [];
  } catch (error) {
    if (error.name === 'ValidationError' && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}
