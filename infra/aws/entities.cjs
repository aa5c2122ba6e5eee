'use strict';
/**
 * The functions of the declared entities and custom routes (`../entities.json` and `../routes.json`, which `npm run generate`
 * writes from src/shared/entities and src/shared/routes), and a role for each, with what such a function does and nothing
 * else.
 *
 * In this file and in roles.yml: no wildcard in an action or a resource (tests/integration/aws-package.test.ts reads the
 * packaged template).
 */
const entities = require('../entities.json');
const routes = require('../routes.json');

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

const functionOfRoutes = (declared) => ({
  handler: declared.handler,
  role: roleOf(declared),
  events: [route(`/${declared.name}`), route(`/${declared.name}/{proxy+}`)],
});

const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
const indexArn = (name) => ({ 'Fn::Sub': `\${Table.Arn}/index/${name}` });
const att = (id) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const logs = ({ function: key }) =>
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], att(`${capital(key)}LogGroup`));
/** The lists of entities. */
const lists = (slots) =>
  allow(['dynamodb:Query'], ['by_type', ...slots.map((slot) => `by_x${slot}`)].map(indexArn));
/** A write goes to the queue at once. */
/** By whom what is to be done is done: records with content have a queue of their own, where the site has a place for objects. */
const sends = ({ reacts, content }) =>
  allow(
    ['sqs:SendMessage'],
    reacts
      ? [att('OutQueue'), att('ReactQueue'), ...(content ? [att('ObjectsQueue')] : [])]
      : att('OutQueue'),
  );

/** BatchGetItem: the records of a list, and what a session has seen. */
const statementsOf = (entity) => [
  logs(entity),
  ...(entity.writes
    ? [allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'], att('Table')), sends(entity)]
    : [
        allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], att('Table')),
        ...(entity.asks ? [countsCallers()] : []),
      ]),
  lists(entity.slots),
];

/**
 * How much a caller has asked (src/shared/http/caller-limits.ts), which is all that a function writes that only reads.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const countsCallers = () => keeps('limit');

/** Records of the site itself that a function which only reads may write. */
const keeps = (entity) => ({
  ...allow(['dynamodb:GetItem', 'dynamodb:PutItem'], att('Table')),
  Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${entity}:*`] } },
});

/**
 * The secrets that a declaration names, and no other; the six characters that end an ARN are Secrets Manager's to choose.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
 */
const secretArn = (name) => ({
  'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:\${param:prefix}/${name}-??????`,
});

const statementsOfRoutes = (declared) => [
  logs(declared),
  ...(declared.writes
    ? [
        allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'], att('Table')),
        sends(declared),
      ]
    : []),
  ...(declared.reads && !declared.writes
    ? [allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], att('Table'))]
    : []),
  ...(declared.reads ? [lists(declared.slots)] : []),
  ...(declared.asks && !declared.writes ? [countsCallers()] : []),
  // What has happened is counted anew when somebody asks (src/shared/domain/analytics).
  ...(declared.counts && !declared.writes ? [keeps('tally')] : []),
  ...(declared.secrets.length > 0
    ? [allow(['secretsmanager:GetSecretValue'], declared.secrets.map(secretArn))]
    : []),
];

const role = (name, Statement, hasContent = false) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    ManagedPolicyArns: `\${self:custom.added.${hasContent ? 'objectPolicies' : 'managedPolicies'}}`,
    PermissionsBoundary: '${self:custom.added.permissionsBoundary}',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    },
    Policies: [{ PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement } }],
  },
});

module.exports = {
  functions: Object.fromEntries([
    ...entities.map((entity) => [entity.function, functionOf(entity)]),
    ...routes.map((declared) => [declared.function, functionOfRoutes(declared)]),
  ]),
  resources: {
    Resources: Object.fromEntries([
      ...entities.map((entity) => [
        roleOf(entity),
        role(entity.collection, statementsOf(entity), entity.content),
      ]),
      ...routes.map((declared) => [roleOf(declared), role(declared.name, statementsOfRoutes(declared))]),
    ]),
  },
  /** Of the functions that have objects: those of entities with content. */
  contentRoles: entities.filter(({ content }) => content).map(roleOf),
  /** Of all functions here: what they write are records of entities. */
  recordRoles: [...entities, ...routes].map(roleOf),
  /** Of functions that write what shared caches keep. */
  cacheRoles: [...entities, ...routes].filter(({ cached, writes }) => cached && writes).map(roleOf),
  /** Whether the function that has the storages reacts to such records. */
  cachedContent: entities.some(({ cached, content }) => cached && content),
  /** For tests, which ask what a declaration that is not here would get. */
  statementsOfRoutes,
};
