/**
 * Security headers of an API that answers JSON, after OWASP's REST Security Cheat Sheet. What only means something
 * for a page (permissions, embedding, downloads) is left out: two kilobytes on every answer.
 */
import httpSecurityHeaders from '@middy/http-security-headers';
import type { MiddlewareRequest } from './middleware-request.ts';

const CONTENT_SECURITY_POLICY = {
  'default-src': "'none'",
  'frame-ancestors': "'none'",
  'base-uri': '',
  'form-action': '',
  'report-to': '',
  'require-trusted-types-for': '',
  sandbox: null,
  'upgrade-insecure-requests': null,
};

const ofAnswers = httpSecurityHeaders({
  contentSecurityPolicy: CONTENT_SECURITY_POLICY as unknown as Record<string, string>,
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  dnsPrefetchControl: false,
  downloadOptions: false,
  originAgentCluster: false,
  permissionsPolicy: false,
  permittedCrossDomainPolicies: false,
});

/** A page has a policy of its own (`page.ts`); two of them would both hold, and leave it without its style. */
export const securityHeaders = {
  ...ofAnswers,
  after: (request: MiddlewareRequest): void => {
    void ofAnswers.after?.(request as never);
    const headers = request.response?.headers;
    if (headers?.['content-security-policy'] !== undefined) delete headers['Content-Security-Policy'];
  },
};
