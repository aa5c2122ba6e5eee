'use strict';
/**
 * What the role of a function needs that reads secrets (docs/handlers.md), as one statement of its policy:
 *
 *   - ${file(infra/aws/secrets.cjs):statement}
 *
 * The one wildcard of the roles: an ARN of a secret ends in six characters that Secrets Manager chooses, and which secrets
 * there are is the owner's business. Nothing outside the prefix, and nothing but reading.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html
 */
module.exports = async ({ resolveVariable }) => {
  const prefix = await resolveVariable('param:prefix');
  const reading = (Sid, name) => ({
    Sid,
    Effect: 'Allow',
    Action: ['secretsmanager:GetSecretValue'],
    Resource: {
      'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${prefix}/${name}`,
    },
  });
  return {
    statement: reading('Secrets', '*'),
    // Of the functions that erase people, and know whom by its keyed hash (docs/persons.md): this one and no other.
    erasureKey: reading('ErasureKey', 'erasure-key-??????'),
  };
};
