'use strict';
/**
 * What the flags of `custom.features` change outside their own files in infra/aws/features/, as `custom.added`.
 *
 * Invariant: a flag that is misspelt, has another value than true or false, or lacks what it needs, ends the packaging
 * with all mistakes named. A stack without the firewall that somebody thought to have asked for would be worse.
 */

/** What a flag needs besides itself: another flag, a parameter, or the region that CloudFront's parts live in. */
const NEEDS = {
  waf: { flag: 'cdn', region: 'us-east-1' },
  customDomain: { params: ['domain', 'hostedZoneId'] },
};
const OF_CLOUDFRONT = 'us-east-1';

/** `--param "features.<flag>=<value>"` as it was typed; a flag that nobody knows would otherwise be ignored. */
function askedFor(options) {
  return (options.param ?? []).flatMap((text) => /^features\.([^=]+)=/.exec(text)?.[1] ?? []);
}

function mistakesOf({ features, asked, params, region }) {
  const known = Object.keys(features);
  const on = known.filter((flag) => features[flag] === 'true');
  const needs = on.flatMap((flag) => {
    const { flag: other, params: names = [], region: only } = NEEDS[flag] ?? {};
    return [
      ...(other !== undefined && !on.includes(other) ? [`${flag} needs ${other}`] : []),
      ...names.filter((name) => params[name] === '').map((name) => `${flag} needs --param "${name}=…"`),
      ...(only !== undefined && only !== region ? [`${flag} needs the region ${only}`] : []),
    ];
  });
  return [
    ...asked
      .filter((flag) => !known.includes(flag))
      .map((flag) => `${flag} is no feature: ${known.join(', ')}`),
    ...known
      .filter((flag) => !['true', 'false'].includes(features[flag]))
      .map((flag) => `${flag} is true or false, not ${features[flag]}`),
    ...needs,
    ...(on.includes('cdn') && on.includes('customDomain') && region !== OF_CLOUDFRONT
      ? [`cdn with customDomain needs the region ${OF_CLOUDFRONT}, where its certificates live`]
      : []),
  ];
}

/** CloudFront's own name unless the site has one; only a certificate of ours lets us ask for TLS 1.2. */
function viewerOf(customDomain, domain) {
  return customDomain
    ? {
        aliases: [domain],
        certificate: {
          AcmCertificateArn: { Ref: 'Certificate' },
          SslSupportMethod: 'sni-only',
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      }
    : { aliases: [], certificate: { CloudFrontDefaultCertificate: true } };
}

module.exports = async ({ options, resolveConfigurationProperty, resolveVariable }) => {
  const features = await resolveConfigurationProperty(['custom', 'features']);
  const [domain, hostedZoneId, region, alarmEmail] = await Promise.all(
    ['param:domain', 'param:hostedZoneId', 'self:provider.region', 'param:alarmEmail'].map(resolveVariable),
  );
  const mistakes = mistakesOf({
    features,
    asked: askedFor(options),
    params: { domain, hostedZoneId },
    region,
  });
  if (mistakes.length > 0) {
    const error = new Error(mistakes.join('; '));
    // The packager prints a stack instead of the message where there is one.
    error.stack = undefined;
    throw error;
  }
  const has = (flag) => features[flag] === 'true';
  return {
    alarmSubscriptions: alarmEmail === '' ? [] : [{ Protocol: 'email', Endpoint: alarmEmail }],
    alarmKey: has('alarmKey') ? { Ref: 'AlarmKey' } : { Ref: 'AWS::NoValue' },
    tracing: has('tracing'),
    // Instances that are kept warm per function; 0 is none, and no alias.
    provisionedConcurrency: has('warm') ? 1 : 0,
    vpc: has('network')
      ? {
          securityGroupIds: [{ 'Fn::GetAtt': ['FunctionSecurityGroup', 'GroupId'] }],
          subnetIds: [{ Ref: 'PrivateSubnetA' }, { Ref: 'PrivateSubnetB' }],
        }
      : null,
    // Attached to every function's role.
    managedPolicies: [
      ...(has('network') ? [{ Ref: 'VpcAccess' }] : []),
      ...(has('tracing') ? [{ Ref: 'TraceAccess' }] : []),
    ],
    webAcl: has('waf') ? { 'Fn::GetAtt': ['WebAcl', 'Arn'] } : { Ref: 'AWS::NoValue' },
    viewer: viewerOf(has('customDomain'), domain),
  };
};
