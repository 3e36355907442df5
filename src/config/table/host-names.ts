import { parseAddress } from '../../core/address.ts';
import { accept, expected, listOf, refuse } from './kind.ts';

/** Names as a `Host` header has them, or `*.` before a suffix; in lower case. */
export const hostNames = listOf<string>({
  label: 'list of host names',
  item(text) {
    const name = text.toLowerCase().replace(/\.$/, '');
    const parsed = parseAddress(`${name.replace(/^\*\./, '')}:1`, 'candidate');
    const isName = name !== '' && !name.includes(':') && !/^\*?\.?$/.test(name);
    if (isName && parsed.ok) return accept(name);
    return refuse(expected('a host name without a port, or *.suffix', text));
  },
  format: (name) => name,
  identity: (name) => name,
});
