/**
 * The SDKs of Azure sign in by TLS only. To an emulator they are given an address with `https:`, and this policy behind the
 * one that signs in: it takes TLS away on the way to this machine, and to no other.
 */
import { isLoopback } from '../core/this-machine.ts';

/** As `@azure/core-rest-pipeline` calls it. */
interface PipelineRequest {
  url: string;
  allowInsecureConnection?: boolean;
}

export interface PlainPolicy {
  readonly name: string;
  sendRequest<R extends PipelineRequest, A>(request: R, next: (request: R) => Promise<A>): Promise<A>;
}

export const plainHttp: PlainPolicy = {
  name: 'plainHttp',
  sendRequest(request, next) {
    if (isLoopback(request.url)) {
      request.url = request.url.replace(/^https:/, 'http:');
      request.allowInsecureConnection = true;
    }
    return next(request);
  },
};
