/** Failures of AWS that moto does not have, in the words and shapes that AWS documents. */
import type { Fault } from './front.ts';

const CLOUDFORMATION = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
const XML = { 'content-type': 'text/xml' };

function response(action: string, result: string): { status: number; headers: typeof XML; body: string } {
  const body = `<${action}Response xmlns="${CLOUDFORMATION}"><${action}Result>${result}</${action}Result></${action}Response>`;
  return { status: 200, headers: XML, body };
}

function refusal(status: number, code: string, message: string): ReturnType<typeof response> {
  const body = `<ErrorResponse xmlns="${CLOUDFORMATION}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
  return { status, headers: XML, body };
}

/**
 * No failure but a repair: moto validates with cfn-lint and takes its first finding for an error, warnings too, such as
 * the one about `DependsOn` that the CLI writes beside every role. `npm run tandem -- lint-infra` runs cfn-lint as it is meant.
 */
export const acceptWarnings: Fault = ({ action }) =>
  action === 'ValidateTemplate' ? response(action, '<Parameters/>') : undefined;

/**
 * Credentials that are refused, whatever is asked.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
export const refused =
  (code: string, message: string): Fault =>
  () =>
    refusal(403, code, message);

/** A region in which CloudFormation does not know a type. */
export const withoutType =
  (type: string): Fault =>
  ({ action }) =>
    action === 'ValidateTemplate'
      ? refusal(400, 'ValidationError', `Template format error: Unrecognized resource types: [${type}]`)
      : undefined;

interface Failing {
  readonly stackId: string;
  readonly stackName: string;
  readonly resource: string;
  readonly type: string;
  readonly reason: string;
}

/**
 * An update that fails at one resource and is undone, as CloudFormation tells it: the update is accepted, and its events,
 * newest first, say the rest. moto is not asked, so nothing of the update is there afterwards.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
 */
export function failsAt({ stackId, stackName, resource, type, reason }: Failing): Fault {
  const ofStack = (status: string) => [stackName, 'AWS::CloudFormation::Stack', status, ''] as const;
  const events = [
    ofStack('UPDATE_ROLLBACK_COMPLETE'),
    ofStack('UPDATE_ROLLBACK_IN_PROGRESS'),
    [resource, type, 'CREATE_FAILED', reason],
    ['Table', 'AWS::DynamoDB::Table', 'CREATE_COMPLETE', ''],
    ofStack('UPDATE_IN_PROGRESS'),
  ] as const;
  const members = events.map(([id, of, status, why], i) => {
    const reported = why === '' ? '' : `<ResourceStatusReason>${why}</ResourceStatusReason>`;
    return `<member><EventId>failing-${i}</EventId><StackId>${stackId}</StackId><StackName>${stackName}</StackName><LogicalResourceId>${id}</LogicalResourceId><ResourceType>${of}</ResourceType><Timestamp>2026-01-01T00:00:0${5 - i}Z</Timestamp><ResourceStatus>${status}</ResourceStatus>${reported}</member>`;
  });
  let updating = false;
  return (requested) => {
    if (requested.action === 'UpdateStack') {
      updating = true;
      return response('UpdateStack', `<StackId>${stackId}</StackId>`);
    }
    if (requested.action === 'DescribeStackEvents' && updating) {
      return response('DescribeStackEvents', `<StackEvents>${members.join('')}</StackEvents>`);
    }
    return acceptWarnings(requested);
  };
}
