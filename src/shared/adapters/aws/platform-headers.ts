/**
 * Headers that API Gateway, and CloudFront before it, add to a request.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
 */
export const PLATFORM_HEADERS: readonly string[] = [
  'x-amzn-trace-id',
  'x-forwarded-*',
  'x-amz-cf-id',
  'cloudfront-*',
  'via',
];
