import { formatAddress, parseAddress, type Address, type AddressRole } from '../../core/address.ts';
import { parseBlock } from '../../core/address-blocks.ts';
import { readServiceDirectory } from '../../discovery/service-directory.ts';
import { didYouMean } from '../gather/nearest.ts';
import { addressRemedy, meantAddresses } from './address-remedy.ts';
import { accept, expected, listOf, refuse, type Kind, type Parsed } from './kind.ts';
import type { AddressesOption } from './option-values.ts';
import { saysOff } from './plain-kinds.ts';

/** How others say `off` of an address. */
const SAYS_NONE = /^(?:none|disabled?|null|-)$/i;

/** Where to listen. Port 0 may come several times: each time the system picks another port. */
export const listenAddresses = addressList('listen');

export const candidateAddresses = addressList('candidate');

/** One listen address, or `off`. */
export const addressOrOff: Kind<Address | 'off'> = {
  label: 'address | off',
  form: 'one',
  format: (address) => (address === 'off' ? address : formatAddress(address)),
  absent: 'off',
  parse(text) {
    if (saysOff(text)) return accept('off');
    const parsed = parseAddress(text, 'listen');
    if (parsed.ok) return accept(parsed.address);
    const remedy = SAYS_NONE.test(text) ? didYouMean('off') : addressRemedy(text, 'listen', 29_091);
    return refuse(`${expected(`${parsed.reason}, or off`, text)}${remedy}`);
  },
};

/** In the configuration nothing stands for `off`. */
export function unlessOff(address: Address | 'off'): Address | undefined {
  return address === 'off' ? undefined : address;
}

export const cidrBlocks = listOf<string>({
  label: 'list of CIDR blocks',
  item(text) {
    try {
      parseBlock(text);
      return accept(text);
    } catch {
      return refuse(expected('a CIDR block such as 10.0.0.0/8 or fd00::/8', text));
    }
  },
  format: (block) => block,
  identity: (block) => block.toLowerCase(),
});

/** The name of a service in a registry. The registry that is asked checks the name and gives it its canonical form. */
export const serviceInRegistry: Kind<string> = {
  label: 'service name',
  form: 'one',
  format: (directory) => directory,
  parse(text) {
    const read = readServiceDirectory(text);
    return read.ok ? accept(text) : refuse(expected(read.reason, text));
  },
};

/** Whether the system picks the port. */
export function isPickedBySystem(address: Address): boolean {
  return address.kind === 'tcp' && address.port === 0;
}

function addressList(role: 'listen' | 'candidate'): Kind<readonly Address[], AddressesOption> {
  const list = listOf<Address>({
    label: 'list of addresses',
    item: (text) => readAddress(text, role),
    format: formatAddress,
    identity: (address) => (isPickedBySystem(address) ? undefined : formatAddress(address)),
  });
  return {
    ...list,
    parse(text) {
      const parsed = list.parse(text);
      const meant = parsed.ok ? undefined : meantAddresses(text, role);
      if (meant === undefined) return parsed;
      const what = meant.includes(',') ? 'addresses with commas between them' : 'host:port';
      return refuse(`${expected(what, text)}${didYouMean(meant)}`);
    },
  };
}

function readAddress(text: string, role: AddressRole): Parsed<Address> {
  const parsed = parseAddress(text, role);
  if (parsed.ok) return accept(parsed.address);
  if (text.startsWith('/')) {
    return refuse(`${expected('host:port, or unix:/path for a Unix socket', text)}${didYouMean(`unix:${text}`)}`);
  }
  return refuse(`${expected(parsed.reason, text)}${addressRemedy(text, role)}`);
}
