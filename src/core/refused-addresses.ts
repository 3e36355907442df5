import { isIP } from 'node:net';
import { AddressBlocks, parseBlock, type AddressBlock } from './address-blocks.ts';
import { embeddedIpv4, plainIp } from './ip-bytes.ts';

/** Why an address is nothing that a registry may name by itself. */
export interface RefusedAddress {
  /** `link-local`, `multicast`, ... */
  readonly what: string;
  /** The block it is in. */
  readonly block: AddressBlock;
  /** It only holds an IPv4 address that is refused, e.g. for a NAT64 gateway to unwrap. */
  readonly isEmbedded: boolean;
}

/**
 * What hands out credentials to every program of a machine that asks. Beside these the link-local addresses: 169.254.169.254
 * (nearly everybody), 169.254.170.2 (ECS), 169.254.170.23 (EKS), 169.254.42.42 (Scaleway), 169.254.0.23 (Tencent).
 */
const METADATA = [
  // EC2: fd00:ec2::254 metadata, ::23 EKS pod identity, ::253 DNS, ::123 time
  'fd00:ec2::/32',
  // Google
  'fd20:ce::254',
  // Oracle, today's and the classic one
  'fd00:c1::a9fe:a9fe',
  '192.0.0.192',
  // Scaleway
  'fd00:42::42',
  // Alibaba
  '100.100.100.200',
  // Azure's WireServer
  '168.63.129.16',
] as const;

/** By kind. `0.0.0.0` and `::` reach this machine. */
const REFUSED: readonly (readonly [what: string, blocks: readonly string[]])[] = [
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['a metadata service of a cloud', METADATA],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['broadcast', ['255.255.255.255']],
];

const kinds = REFUSED.map(([what, texts]) => {
  const blocks = texts.map(parseBlock);
  return { what, blocks, all: new AddressBlocks(blocks) };
});

/** @param ip one that `net.isIP` knows; a zone is ignored */
export function refusedAddress(ip: string): RefusedAddress | undefined {
  const plain = plainIp(ip);
  const itself = find(plain, false);
  if (itself !== undefined || isIP(plain) === 4) return itself;
  for (const embedded of embeddedIpv4(plain)) {
    const found = find(embedded, true);
    if (found !== undefined) return found;
  }
  return undefined;
}

function find(ip: string, isEmbedded: boolean): RefusedAddress | undefined {
  for (const { what, blocks, all } of kinds) {
    if (!all.has(ip)) continue;
    const block = blocks.find((one) => new AddressBlocks([one]).has(ip));
    if (block !== undefined) return { what, block, isEmbedded };
  }
  return undefined;
}
