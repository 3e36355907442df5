import { formatAddress, parseAddress, type Address, type AddressRole } from '../core/address.ts';
import { parseCidr } from '../core/dial-policy.ts';
import { accept, expected, listOf, refuse, type Kind, type Parsed } from './kind.ts';

/** Where to listen. Port 0 may come several times: each time the system picks another port. */
export const listenAddresses = listOf<Address>({
  label: 'list of addresses',
  item: (text) => readAddress(text, 'listen'),
  identity: (address) => (isPickedBySystem(address) ? undefined : formatAddress(address)),
});

export const candidateAddresses = listOf<Address>({
  label: 'list of addresses',
  item: (text) => readAddress(text, 'candidate'),
  identity: formatAddress,
});

/** One listen address, or `off`. */
export const addressOrOff: Kind<Address | 'off'> = {
  label: 'address | off',
  form: 'one',
  parse(text) {
    if (text.toLowerCase() === 'off') return accept('off');
    const parsed = parseAddress(text, 'listen');
    return parsed.ok ? accept(parsed.address) : refuse(expected(`${parsed.reason}, or off`, text));
  },
};

export const cidrBlocks = listOf<string>({
  label: 'list of CIDR blocks',
  item(text) {
    try {
      parseCidr(text);
      return accept(text);
    } catch {
      return refuse(expected('a CIDR block such as 10.0.0.0/8 or fd00::/8', text));
    }
  },
  identity: (block) => block.toLowerCase(),
});

/** A service's directory in the registry, normalised to one leading slash and no trailing one. */
export const serviceDirectory: Kind<string> = {
  label: 'directory',
  form: 'one',
  parse(text) {
    const directory = `/${text.replace(/^\//, '').replace(/\/$/, '')}`;
    if (directory === '/') return refuse(expected('a directory such as /srv/redis/debug', text));
    // eslint-disable-next-line no-control-regex -- control characters are what is being refused
    if (/[\s\u0000-\u001f\u007f]/.test(directory)) {
      return refuse(expected('a directory without spaces or control characters', text));
    }
    // In a directory registry `..` would leave the root that DSC names.
    if (directory.slice(1).split('/').some(isNoName)) {
      return refuse(expected('a directory without empty, "." or ".." parts', text));
    }
    return accept(directory);
  },
};

/** Whether the system picks the port. */
export function isPickedBySystem(address: Address): boolean {
  return address.kind === 'tcp' && address.port === 0;
}

function readAddress(text: string, role: AddressRole): Parsed<Address> {
  const parsed = parseAddress(text, role);
  if (parsed.ok) return accept(parsed.address);
  return refuse(expected(text.startsWith('/') ? 'host:port, or unix:/path for a Unix socket' : parsed.reason, text));
}

function isNoName(part: string): boolean {
  return part === '' || part === '.' || part === '..';
}
