/**
 * Names that Kubernetes (a Service named `lb`: `LB_PORT`, `LB_PORT_6379_TCP_ADDR`, `LB_SERVICE_HOST`,
 * `LB_SERVICE_PORT_HTTP`) and Docker links inject on their own.
 */
const INJECTED = /_(?:PORT(?:_\d+_(?:TCP|UDP|SCTP).*)?|SERVICE_HOST|SERVICE_PORT(?:_.*)?)$/;
const LINK = /^(?:tcp|udp|sctp):\/\//;
/** Docker links also tell the linked container's name and environment. */
const LINKED = /^([A-Z][A-Z0-9_]*?)_(?:NAME$|ENV_)/;

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a variable was put there by Kubernetes or a Docker link, and so is nobody's setting. */
export function isInjected(name: string, env: Environment): boolean {
  if (INJECTED.test(name)) return true;
  const alias = LINKED.exec(name)?.[1];
  return alias !== undefined && LINK.test(env[`${alias}_PORT`] ?? '');
}

/** Whether the value of a variable with such a name looks typed by hand: it is no URL of a link. */
export function looksTyped(value: string): boolean {
  return !LINK.test(value);
}
