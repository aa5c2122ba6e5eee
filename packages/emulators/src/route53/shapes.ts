/** Requests of the Route 53 API (2013-04-01): members, bounds and enumerations as its reference publishes them. */
import type { Shape } from '../core/xml.ts';

const text =
  (pattern: RegExp): Shape =>
  (value, path) => {
    if (!pattern.test(value)) throw new Error(`${path}: '${value}' does not match ${pattern.source}`);
    return value;
  };
const whole =
  (min: number, max: number): Shape =>
  (value, path) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < min || number > max)
      throw new Error(`${path}: ${value} is out of range`);
    return number;
  };
const flag: Shape = (value, path) => {
  if (value !== 'true' && value !== 'false') throw new Error(`${path}: ${value} is no boolean`);
  return value === 'true';
};
const oneOf = (...values: string[]): Shape => text(new RegExp(`^(${values.join('|')})$`));

const RECORD_SET: Shape = {
  required: ['Name', 'Type'],
  members: {
    Name: text(/^.{1,1024}$/),
    Type: oneOf('SOA', 'A', 'TXT', 'NS', 'CNAME', 'MX', 'NAPTR', 'PTR', 'SRV', 'SPF', 'AAAA', 'CAA', 'DS'),
    SetIdentifier: text(/^.{1,128}$/),
    Weight: whole(0, 255),
    Region: text(/^(us|eu|ap|sa|ca|cn|af|me|il|mx)-[a-z]+-\d$/),
    GeoLocation: {
      required: [],
      members: {
        ContinentCode: oneOf('AF', 'AN', 'AS', 'EU', 'OC', 'NA', 'SA'),
        CountryCode: text(/^([A-Z]{2}|\*)$/),
        SubdivisionCode: text(/^.{1,3}$/),
      },
    },
    Failover: oneOf('PRIMARY', 'SECONDARY'),
    MultiValueAnswer: flag,
    TTL: whole(0, 2_147_483_647),
    ResourceRecords: ['ResourceRecord', { required: ['Value'], members: { Value: text(/^[^]{1,4000}$/) } }],
    AliasTarget: {
      required: ['HostedZoneId', 'DNSName', 'EvaluateTargetHealth'],
      members: { HostedZoneId: text(/^.{1,32}$/), DNSName: text(/^.{1,1024}$/), EvaluateTargetHealth: flag },
    },
    HealthCheckId: text(/^.{1,64}$/),
  },
};

export const CHANGE_SETS: Shape = {
  required: ['ChangeBatch'],
  members: {
    ChangeBatch: {
      required: ['Changes'],
      members: {
        Comment: text(/^.{0,256}$/),
        Changes: [
          'Change',
          {
            required: ['Action', 'ResourceRecordSet'],
            members: { Action: oneOf('CREATE', 'DELETE', 'UPSERT'), ResourceRecordSet: RECORD_SET },
          },
        ],
      },
    },
  },
};

export const CREATE_CHECK: Shape = {
  required: ['CallerReference', 'HealthCheckConfig'],
  members: {
    CallerReference: text(/^.{1,64}$/),
    HealthCheckConfig: {
      required: ['Type'],
      members: {
        IPAddress: text(/^[0-9a-f.:]{1,45}$/),
        Port: whole(1, 65_535),
        Type: oneOf('HTTP', 'HTTPS', 'HTTP_STR_MATCH', 'HTTPS_STR_MATCH', 'TCP', 'CALCULATED'),
        ResourcePath: text(/^.{0,255}$/),
        FullyQualifiedDomainName: text(/^.{0,255}$/),
        RequestInterval: oneOf('10', '30'),
        FailureThreshold: whole(1, 10),
        EnableSNI: flag,
        Inverted: flag,
        Disabled: flag,
      },
    },
  },
};

export const CHANGE_TAGS: Shape = {
  required: [],
  members: {
    AddTags: [
      'Tag',
      { required: ['Key', 'Value'], members: { Key: text(/^.{1,128}$/), Value: text(/^.{0,256}$/) } },
    ],
    RemoveTagKeys: ['Key', text(/^.{1,128}$/)],
  },
};
