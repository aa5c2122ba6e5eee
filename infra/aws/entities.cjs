'use strict';
/**
 * The functions of the declared entities (`../entities.json`, which `npm run generate` writes from src/shared/entities), and
 * a role for each, with what such a function does and nothing else.
 *
 * In this file and in roles.yml: no wildcard in an action or a resource (tests/integration/aws-package.test.ts reads the
 * packaged template).
 */
const entities = require('../entities.json');

const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);
const roleOf = ({ function: key }) => `${capital(key)}Role`;

/** Every method: 405 and unknown sub-paths are answered by our code. */
const route = (path) => ({ httpApi: { method: '*', path } });

const functionOf = (entity) => ({
  handler: entity.handler,
  role: roleOf(entity),
  provisionedConcurrency: '${self:custom.added.provisionedConcurrency}',
  events: [
    route(`/${entity.collection}`),
    route(`/${entity.collection}/{proxy+}`),
    ...entity.aliases.map(({ path }) => route(path)),
  ],
});

const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
const indexArn = (name) => ({ 'Fn::Sub': `\${Table.Arn}/index/${name}` });
const att = (id) => ({ 'Fn::GetAtt': [id, 'Arn'] });

/** BatchGetItem: the records of a list, and what a session has seen. SendMessage: a write goes to the queue at once. */
const statementsOf = ({ function: key, slots, reacts }) => [
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], att(`${capital(key)}LogGroup`)),
  allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'], att('Table')),
  allow(['dynamodb:Query'], ['by_type', ...slots.map((slot) => `by_x${slot}`)].map(indexArn)),
  allow(['sqs:SendMessage'], reacts ? [att('OutQueue'), att('ReactQueue')] : att('OutQueue')),
];

const role = (entity) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    ManagedPolicyArns: '${self:custom.added.managedPolicies}',
    PermissionsBoundary: '${self:custom.added.permissionsBoundary}',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    },
    Policies: [
      {
        PolicyName: entity.collection,
        PolicyDocument: { Version: '2012-10-17', Statement: statementsOf(entity) },
      },
    ],
  },
});

module.exports = {
  functions: Object.fromEntries(entities.map((entity) => [entity.function, functionOf(entity)])),
  resources: { Resources: Object.fromEntries(entities.map((entity) => [roleOf(entity), role(entity)])) },
};
