import { fileURLToPath } from 'node:url';
import { formatAddress, parseAddress } from '../core/address.ts';
import { accept, expected, listOf, refuse, type Kind, type Parsed } from './kind.ts';

/** What `DSC` says: etcd's endpoints, all of one scheme, or one directory. */
export type Endpoints =
  | { readonly kind: 'etcd'; readonly scheme: 'http' | 'https'; readonly endpoints: readonly string[] }
  | { readonly kind: 'directory'; readonly root: string };

type Endpoint =
  | { readonly scheme: 'http' | 'https'; readonly text: string }
  | { readonly scheme: 'file'; readonly text: string; readonly root: string };

const HTTP = /^(https?):\/\/([^/?#]*)\/?$/i;
const FORMS = 'http://host:port, https://host:port or file:///directory';

const endpointList = listOf<Endpoint>({ label: 'list of endpoints', item: readEndpoint, identity: ({ text }) => text });

/** One or more of `http(s)://host:port`, or one `file:///directory`. */
export const endpoints: Kind<Endpoints> = {
  label: endpointList.label,
  form: endpointList.form,
  parse(text) {
    const parsed = endpointList.parse(text);
    return parsed.ok ? join(parsed.value) : parsed;
  },
};

function join(items: readonly Endpoint[]): Parsed<Endpoints> {
  const [first] = items;
  if (first?.scheme === 'file' && items.length === 1) return accept({ kind: 'directory', root: first.root });
  const schemes = new Set(items.map(({ scheme }) => scheme));
  if (schemes.has('file')) {
    return refuse(
      schemes.size === 1
        ? `expected one file:// directory, got ${items.length}`
        : `expected http(s) endpoints or one file:// directory, got both`,
    );
  }
  if (schemes.size > 1) return refuse('expected endpoints of one scheme, got http and https');
  const scheme = schemes.has('https') ? 'https' : 'http';
  return accept({ kind: 'etcd', scheme, endpoints: items.map((item) => item.text) });
}

function readEndpoint(text: string): Parsed<Endpoint> {
  // Whatever stands before an "@" may be a password: nothing of this text is shown.
  if (text.includes('@')) {
    return refuse('expected an endpoint without credentials (ETCD_USERNAME, ETCD_PASSWORD), got one with "@"');
  }
  if (/^file:/i.test(text)) return readDirectory(text);
  if (!/^https?:\/\//i.test(text)) return refuse(expected(FORMS, text));
  const [, scheme = '', authority = ''] = HTTP.exec(text) ?? [];
  if (scheme === '') return refuse(expected('an endpoint without path, query or fragment', text));
  const parsed = parseAddress(authority, 'discovered');
  if (!parsed.ok) return refuse(expected(`${parsed.reason} (in ${scheme.toLowerCase()}://host:port)`, text));
  const lower = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  return accept({ scheme: lower, text: `${lower}://${formatAddress(parsed.address)}` });
}

function readDirectory(text: string): Parsed<Endpoint> {
  const fault = expected('file:// and an absolute path, as in file:///srv', text);
  if (!/^file:\/\/\//i.test(text) || /[?#\0]/.test(text)) return refuse(fault);
  try {
    const root = fileURLToPath(text).replace(/(.)\/+$/, '$1');
    return accept({ scheme: 'file', root, text: `file://${root}` });
  } catch {
    return refuse(fault);
  }
}
