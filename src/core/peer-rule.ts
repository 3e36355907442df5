import { isIP, SocketAddress } from 'node:net';

/**
 * A name that the certificate of an allowed client must have. A rule matches one name in the certificate:
 * - `dns`: a DNS subject alternative name, in any case; a label that is `*` in the rule stands for exactly one label;
 * - `uri`: a URI subject alternative name, character by character (as SPIFFE IDs are compared);
 * - `ip`: an IP subject alternative name, whatever way it is written;
 * - `cn`: the common name of the subject, character by character.
 */
export type PeerRule =
  | {
      readonly kind: 'dns';
      /** Lower case, without a closing dot. */
      readonly pattern: string;
    }
  | { readonly kind: 'uri'; readonly uri: string }
  | {
      readonly kind: 'ip';
      /** In the one form that {@link canonicalIp} gives. */
      readonly address: string;
    }
  | { readonly kind: 'cn'; readonly name: string };

export type ParsedPeerRule =
  { readonly ok: true; readonly rule: PeerRule } | { readonly ok: false; readonly reason: string };

const MAX_NAME_LENGTH = 253;
/** The underscore is no host name's, but is used in names inside a cluster, and in certificates for them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const URI = /^[a-z][a-z0-9+.-]*:[\u0021-\u007e]+$/i;

/**
 * Parses `dns:web.prod.internal`, `dns:*.prod.internal`, `uri:spiffe://prod/web`, `ip:10.0.0.7` or `cn:web`. Never
 * throws; `reason` fits behind "expected".
 */
export function parsePeerRule(text: string): ParsedPeerRule {
  const colon = text.indexOf(':');
  const [kind, name] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  switch (kind) {
    case 'dns':
      return parseDns(name);
    case 'uri':
      return parseUri(name);
    case 'ip':
      return parseIp(name);
    case 'cn':
      return parseCommonName(name);
    default:
      return fault('dns:, uri:, ip: or cn: and a name, as in dns:web.prod.internal');
  }
}

/** The text of a rule, as {@link parsePeerRule} reads it; equal rules have equal texts. */
export function formatPeerRule(rule: PeerRule): string {
  switch (rule.kind) {
    case 'dns':
      return `dns:${rule.pattern}`;
    case 'uri':
      return `uri:${rule.uri}`;
    case 'ip':
      return `ip:${rule.address}`;
    case 'cn':
      return `cn:${rule.name}`;
  }
}

/** A DNS name's labels in lower case, without a closing dot; undefined when it names no single host. */
export function dnsLabels(name: string): readonly string[] | undefined {
  const labels = splitLabels(name);
  return name.length <= MAX_NAME_LENGTH && labels.every((label) => LABEL.test(label)) ? labels : undefined;
}

/** One form for each IP address, so that equal addresses have equal texts; undefined for a text that is no IP address. */
export function canonicalIp(text: string): string | undefined {
  const version = isIP(text);
  // A zone is this machine's own business and in no certificate.
  if (version === 0 || text.includes('%')) return undefined;
  return new SocketAddress({ address: text, family: version === 4 ? 'ipv4' : 'ipv6' }).address;
}

function parseDns(name: string): ParsedPeerRule {
  const labels = splitLabels(name);
  if (name.length > MAX_NAME_LENGTH || !labels.every((label) => label === '*' || LABEL.test(label))) {
    return fault('a DNS name after dns:, in which * stands for one whole label');
  }
  if (labels.every((label) => label === '*')) return fault('at least one label that is not * after dns:');
  return { ok: true, rule: { kind: 'dns', pattern: labels.join('.') } };
}

function parseUri(uri: string): ParsedPeerRule {
  if (!URI.test(uri)) return fault('a URI after uri:, as in uri:spiffe://prod/web');
  // Kept free: who writes one means more than one name, and would let in nobody.
  if (uri.includes('*')) return fault('a URI without * after uri:, as it is compared exactly');
  return { ok: true, rule: { kind: 'uri', uri } };
}

function parseIp(text: string): ParsedPeerRule {
  const address = canonicalIp(text);
  return address === undefined
    ? fault('an IP address after ip:, without brackets, prefix or zone')
    : { ok: true, rule: { kind: 'ip', address } };
}

function parseCommonName(name: string): ParsedPeerRule {
  // eslint-disable-next-line no-control-regex -- control characters are what is being refused
  if (name.trim() === '' || /[\u0000-\u001f\u007f]/.test(name)) return fault('a common name after cn:');
  if (name.includes('*')) return fault('a common name without * after cn:, as it is compared exactly');
  return { ok: true, rule: { kind: 'cn', name } };
}

function splitLabels(name: string): readonly string[] {
  return name.toLowerCase().replace(/\.$/, '').split('.');
}

function fault(reason: string): ParsedPeerRule {
  return { ok: false, reason };
}
