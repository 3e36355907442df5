import { isIP } from 'node:net';
import {
  formatMaterialOrigin,
  parseMaterialFolder,
  parseMaterialOrigin,
  type MaterialOrigin,
  type PartName,
} from '../../core/material-origin.ts';
import { dnsLabels, formatPeerRule, parsePeerRule, type PeerRule } from '../../core/peer-rule.ts';
import { accept, expected, listOf, refuse, type Kind } from './kind.ts';

/** Where one PEM text comes from. */
export const materialOrigin: Kind<MaterialOrigin> = {
  label: 'path | file:// | s3://',
  form: 'one',
  format: formatMaterialOrigin,
  parse(text) {
    const parsed = parseMaterialOrigin(text);
    return parsed.ok ? accept(parsed.origin) : refuse(expected(parsed.reason, text));
  },
};

/** Where all three come from, under the names they have there. */
export const materialFolder: Kind<Readonly<Record<PartName, MaterialOrigin>>> = {
  label: 'directory | s3://bucket/prefix',
  form: 'one',
  // Its effect is shown file by file.
  format: () => undefined,
  parse(text) {
    const parsed = parseMaterialFolder(text);
    return parsed.ok ? accept(parsed.origins) : refuse(expected(parsed.reason, text));
  },
};

export const peerRules = listOf<PeerRule>({
  label: 'list of dns:, uri:, ip: and cn: names',
  item(text) {
    const parsed = parsePeerRule(text);
    return parsed.ok ? accept(parsed.rule) : refuse(expected(parsed.reason, text));
  },
  format: formatPeerRule,
  identity: formatPeerRule,
});

/** A name that a certificate can be checked for. */
export const serverName: Kind<string> = {
  label: 'host name',
  form: 'one',
  format: (name) => name,
  parse(text) {
    if (isIP(text) !== 0 || dnsLabels(text) !== undefined) return accept(text.toLowerCase());
    return refuse(expected('a host name or an IP address', text));
  },
};
