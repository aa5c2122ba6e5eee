/**
 * Security headers of an API that answers JSON, after OWASP's REST Security Cheat Sheet. What only means something
 * for a page (permissions, embedding, downloads) is left out: two kilobytes on every answer.
 */
import httpSecurityHeaders from '@middy/http-security-headers';

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

export const securityHeaders = httpSecurityHeaders({
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
