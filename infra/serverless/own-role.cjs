'use strict';
/**
 * Serverless plugin: every function is packaged with a role of its own, or not at all.
 *
 * The CLI gives a function that names none a role that all such functions share, which holds what any of them needs.
 * https://www.serverless.com/framework/docs/providers/aws/guide/iam
 */
module.exports = class OwnRole {
  #serverless;

  constructor(serverless) {
    this.#serverless = serverless;
    this.hooks = { 'before:package:initialize': () => this.#check() };
  }

  #check() {
    const { functions, resources } = this.#serverless.service;
    const made = resources?.Resources ?? {};
    const users = new Map();
    const mistakes = Object.entries(functions).flatMap(([key, one]) => {
      // Switched off by its flag.
      if (!one?.handler) return [];
      if (typeof one.role !== 'string') return [`the function ${key} has no role`];
      if (made[one.role]?.Type !== 'AWS::IAM::Role')
        return [`the role ${one.role} of the function ${key} is not declared`];
      const other = users.get(one.role);
      users.set(one.role, key);
      return other === undefined ? [] : [`the functions ${other} and ${key} share the role ${one.role}`];
    });
    if (mistakes.length === 0) return;
    throw new this.#serverless.classes.Error(
      `${mistakes.join('; ')}. Every function has one of its own (infra/aws/roles.yml; of entities: infra/aws/entities.cjs). ` +
        'Nothing was packaged.',
      'TANDEM_ROLE',
    );
  }
};
