/**
 * Whether a process exists, one of somebody else too (kill(2): EPERM). Ids that name no single process name none here: 0 and
 * negative ones mean groups.
 */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
