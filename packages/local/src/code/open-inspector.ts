/** An inspector that this process could not have from its start, because the one before it still had the address. */
import inspector from 'node:inspector';

/** @param address `127.0.0.1:9229` */
export function openInspector(address: string): void {
  if (inspector.url() !== undefined) return;
  const { hostname, port } = new URL(`http://${address}`);
  inspector.open(Number(port), hostname);
}
