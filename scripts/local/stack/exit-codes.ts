/** Exit codes by which a child tells its supervisor something. */

/** What is wrong at the start will still be wrong after a restart (EX_CONFIG of sysexits.h). */
export const CANNOT_START = 78;
