import type { X509Certificate } from 'node:crypto';
import { dnsLabels, type PeerRule } from '../core/peer-rule.ts';
import { alternativeNames, commonName } from './certificate-names.ts';
import type { AlternativeNames, PeerPolicy } from './material.ts';

/**
 * Lets in a peer whose certificate has a name that one of the rules matches. Whether that certificate can be believed
 * is not asked here: its chain must have been verified.
 *
 * @param rules none: every peer is let in, also one without a certificate
 */
export function peerPolicy(rules: readonly PeerRule[]): PeerPolicy {
  if (rules.length === 0) return { permits: () => true };
  const matchers = rules.map(matcherOf);
  return {
    permits(certificate) {
      if (certificate === undefined) return false;
      const names = alternativeNames(certificate);
      return matchers.some((matches) => matches(names, certificate));
    },
  };
}

/** How a log names a peer: its first URI, else its first DNS name, else its common name. */
export function peerName(certificate: X509Certificate): string | undefined {
  const { uris, dns } = alternativeNames(certificate);
  return uris[0] ?? dns[0] ?? commonName(certificate);
}

type NameMatcher = (names: AlternativeNames, certificate: X509Certificate) => boolean;

function matcherOf(rule: PeerRule): NameMatcher {
  switch (rule.kind) {
    case 'dns':
      return dnsMatcher(rule.pattern.split('.'));
    case 'uri':
      return ({ uris }) => uris.includes(rule.uri);
    case 'ip':
      return ({ ips }) => ips.includes(rule.address);
    case 'cn':
      return (_, certificate) => commonName(certificate) === rule.name;
  }
}

/** A wildcard in the certificate is no label, so a certificate for `*.prod.internal` matches no peer there. */
function dnsMatcher(pattern: readonly string[]): NameMatcher {
  const matches = (name: string): boolean => {
    const labels = dnsLabels(name);
    return labels?.length === pattern.length && pattern.every((label, i) => label === '*' || label === labels[i]);
  };
  return ({ dns }) => dns.some(matches);
}
