import { expect, test } from '@jest/globals';
import { servedIn } from '@tandem-clouds/console/local';

test('requests by site are what a collector counts, but for what machines ask', () => {
  const text = `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{site="a",le="+Inf"} 99
http_server_request_duration_seconds_count{site="a",http_route="/items/{id}",http_response_status_code="200"} 7
http_server_request_duration_seconds_count{http_route="/orders",site="a"} 2
http_server_request_duration_seconds_count{site="a",http_route="/health/deep"} 50
http_server_request_duration_seconds_count{site="a",http_route="/replication/queues"} 50
http_server_request_duration_seconds_count{site="b",http_route="/write"} 1
http_server_request_duration_seconds_sum{site="b",http_route="/write"} 3
`;
  expect(servedIn(text)).toEqual({ a: 9, b: 1 });
  expect(servedIn('')).toEqual({});
});
