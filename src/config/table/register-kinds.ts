import { formatAddress, parseAddress, type TcpAddress } from '../../core/address.ts';
import { checkDetails, MAX_PRIORITY, MAX_WEIGHT } from '../../core/endpoint.ts';
import { readServiceDirectory } from '../../discovery/service-directory.ts';
import { accept, expected, listOf, refuse, type Kind, type Parsed } from './kind.ts';

/** Where a service registers itself. With its slash, so that a variable of another program declares no service. */
export const registerDirectories: Kind<readonly string[], string | readonly string[]> = listOf<string>({
  label: 'list of directories',
  item(text) {
    const read = readServiceDirectory(text);
    if (!text.startsWith('/')) return refuse(expected('a directory such as /srv/redis/debug', text));
    return read.ok ? accept(read.value) : refuse(expected(read.reason, text));
  },
  format: (directory) => directory,
  identity: (directory) => directory,
});

/** What others are to dial: `10.0.1.134:6379`; `:6379` leaves the host to be found. */
export const registerAddress: Kind<TcpAddress> = {
  label: 'host:port | :port',
  form: 'one',
  format: formatAddress,
  parse(text) {
    const parsed = parseAddress(text, text.startsWith(':') ? 'listen' : 'discovered');
    if (!parsed.ok) return refuse(expected(parsed.reason, text));
    const { address } = parsed;
    if (address.kind === 'unix' || address.port === 0) return refuse(expected('host:port that others can dial', text));
    if (address.host === '0.0.0.0' || address.host === '::')
      return refuse(expected('the address of one interface, or :port', text));
    return accept(address);
  },
};

export const weight = wholeUpTo(MAX_WEIGHT);
export const priority = wholeUpTo(MAX_PRIORITY);

/** A zone as readers of the registry take it. */
export const zone: Kind<string> = {
  label: 'zone',
  form: 'one',
  format: (name) => name,
  parse(text): Parsed<string> {
    const { fault } = checkDetails({ zone: text });
    return fault === undefined ? accept(text) : refuse(expected('at most 64 letters, digits and . : / - _', text));
  },
};

function wholeUpTo(most: number): Kind<number, number> {
  return {
    label: `0 to ${most}`,
    form: 'one',
    format: (value) => value,
    parse(text) {
      const value = Number(text);
      if (/^\d{1,5}$/.test(text) && value <= most) return accept(value);
      return refuse(expected(`a whole number from 0 to ${most}`, text));
    },
  };
}
