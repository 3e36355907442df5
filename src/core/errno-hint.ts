import type { NameErrno } from './resolver.ts';

/** For codes whose name does not say what to do. */
const HINTS: Readonly<Partial<Record<string, string>>> = {
  IPV6_ONLY: 'the name has an IPv6 address and no IPv4 address: set NET=tcp6, or NET=tcp for both',
  IPV4_ONLY: 'the name has an IPv4 address and no IPv6 address: set NET=tcp4, or NET=tcp for both',
  DNS_TIMEOUT: 'no name server answered in time: check the name servers in resolv.conf',
  LOOKUP_BUSY: 'other names keep the sources of nsswitch.conf busy: serve the name by DNS or the hosts file',
} satisfies Partial<Record<NameErrno, string>>;

/** For a listener. The same codes mean other things when they come from a dial. */
const LISTEN_HINTS: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'another process has this address: stop that process, or choose another port',
  EACCES: 'attache may not open this address: choose a port of 1024 or above, or a folder that attache may write to',
  EADDRNOTAVAIL: 'the host is not an address of this machine: correct the host',
};

/** What a failure means and what to do, in one clause; undefined for codes that the system's documents explain. */
export function hintOf(errno: string): string | undefined {
  return Object.hasOwn(HINTS, errno) ? HINTS[errno] : undefined;
}

/** `{ hint }`, to be spread beside an errno. */
export function hinted(errno: string): { readonly hint?: string } {
  const hint = hintOf(errno);
  return hint === undefined ? {} : { hint };
}

/** The same for a listener that could not listen. */
export function listenHinted(errno: string): { readonly hint?: string } {
  const hint = listenHintOf(errno);
  return hint === undefined ? {} : { hint };
}

/** The code of a listener that could not listen, with its hint where there is one. */
export function listenExplained(errno: string): string {
  const hint = listenHintOf(errno);
  return hint === undefined ? errno : `${errno}: ${hint}`;
}

function listenHintOf(errno: string): string | undefined {
  return Object.hasOwn(LISTEN_HINTS, errno) ? LISTEN_HINTS[errno] : hintOf(errno);
}

/** The code, with its hint in parentheses where there is one. */
export function explained(errno: string): string {
  const hint = hintOf(errno);
  return hint === undefined ? errno : `${errno} (${hint})`;
}
