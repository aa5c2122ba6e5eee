/** Times as the API writes them: RFC 3339, to the second. */
export const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
