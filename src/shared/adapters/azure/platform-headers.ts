/**
 * Headers that the front end of Functions, and Front Door before it, add to a request. The former are documented by what
 * functions have seen.
 * @see https://github.com/Azure/azure-functions-host/issues/2659
 * @see https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
 */
export const PLATFORM_HEADERS: readonly string[] = [
  'client-ip',
  'disguised-host',
  'is-service-tunneled',
  'max-forwards',
  'was-default-hostname',
  'x-appservice-proto',
  'x-arr-*',
  'x-client-ip',
  'x-client-port',
  'x-forwarded-*',
  'x-original-*',
  'x-site-deployment-id',
  'x-waws-unencoded-url',
  'via',
  'x-azure-*',
  'x-fd-*',
];
