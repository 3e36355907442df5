import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Whether a request may call us so. @param host of the request, in lower case, with or without a port */
export type HostCheck = (host: string | undefined) => boolean;

/** Top-level names that no registrar gives out, and that clusters resolve by themselves. */
const CLUSTER_SUFFIXES = ['.localhost', '.svc', '.svc.cluster.local'] as const;
const NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;

/**
 * Keeps the pages of others from reading what is answered here. A page whose own name was pointed at us after it was loaded
 * (DNS rebinding) names itself in `Host`, and its name is one that its author could register. So these are ours: an IP address,
 * `localhost`, the name of this machine, a name without dots or of a cluster, and what the operator lists.
 *
 * @param listed names, or `*.` with a suffix, in lower case
 */
export function hostCheck(listed: readonly string[]): HostCheck {
  const names = new Set([...listed.filter((one) => !one.startsWith('*.')), 'localhost', hostname().toLowerCase()]);
  const suffixes = [...listed.filter((one) => one.startsWith('*.')).map((one) => one.slice(1)), ...CLUSTER_SUFFIXES];
  return (host) => {
    // HTTP/1.0 has to say nothing, and no browser speaks it.
    if (host === undefined) return true;
    const name = nameIn(host);
    if (name === undefined) return false;
    if (isIP(name) !== 0 || names.has(name)) return true;
    if (!NAME.test(name)) return false;
    return !name.includes('.') || suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length);
  };
}

/** The name or IP address without port, brackets and the dot at the end; undefined when it is neither. */
export function nameIn(host: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d*)?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  return plain?.replace(/\.$/, '');
}
