import type { DiscoveryBackend } from '../../discovery/backends.ts';
import { registryForms, registryOf, registryOfUrl } from '../../discovery/registries.ts';
import { didYouMean } from '../gather/nearest.ts';
import { accept, expected, listOf, oneOf, refuse, type Kind, type Parsed } from './kind.ts';

/** What `DSC` says: the URLs of one registry, canonical, all of one scheme. */
export interface Endpoints {
  readonly kind: DiscoveryBackend['kind'];
  readonly urls: readonly string[];
}

interface EndpointUrl {
  readonly kind: DiscoveryBackend['kind'];
  readonly url: string;
}

const endpointList = listOf<EndpointUrl>({
  label: 'list of endpoints',
  item: readEndpoint,
  format: ({ url }) => url,
  identity: ({ url }) => url,
});

/** One or more URLs of one registry of the table. */
export const endpoints: Kind<Endpoints, string | readonly string[]> = {
  label: endpointList.label,
  form: endpointList.form,
  parse(text) {
    const parsed = endpointList.parse(withSchemes(text));
    return parsed.ok ? join(parsed.value) : parsed;
  },
  // In a configuration the registry itself stands in their place.
  format: (said: Endpoints | DiscoveryBackend) => ('urls' in said ? said.urls : registryOf(said).urls(said)),
};

/** Behind the first a host alone has the scheme of what is before it: `etcd://a:2379,b:2379`. */
function withSchemes(text: string): string {
  const [first = '', ...others] = text.split(',');
  if (registryOfUrl(first.trim())?.isListOfHosts !== true) return text;
  const [, scheme = ''] = /^\s*([^:]*:\/\/)/.exec(first) ?? [];
  return [first, ...others.map((part) => (/^\s*$|:\/\//.test(part) ? part : `${scheme}${part.trim()}`))].join(',');
}

function join(items: readonly EndpointUrl[]): Parsed<Endpoints> {
  const urls = items.map(({ url }) => url);
  const schemes = [...new Set(urls.map((url) => url.slice(0, url.indexOf(':'))))];
  if (schemes.length > 1) return refuse(`expected endpoints of one scheme, got ${schemes.join(' and ')}`);
  const kind = items[0]?.kind ?? 'etcd';
  const fault = registryOf({ kind }).refuseUrls?.(urls);
  return fault === undefined ? accept({ kind, urls }) : refuse(`expected ${fault}, got ${urls.length}`);
}

function readEndpoint(text: string): Parsed<EndpointUrl> {
  const registry = registryOfUrl(text);
  // Whatever stands before an "@" may be a password: nothing of this text is shown.
  if (text.includes('@')) {
    const settings = registry?.credentials;
    return refuse(
      `expected an endpoint without credentials${settings === undefined ? '' : ` (${settings})`}, got one with "@"`,
    );
  }
  if (registry === undefined)
    return refuse(`${expected(oneOf(registryForms), text)}${didYouMean(meantEndpoint(text))}`);
  const read = registry.readUrl(text);
  return read.ok ? accept({ kind: registry.kind, url: read.value }) : refuse(expected(read.reason, text));
}

/** A host with its port is etcd's, an absolute path a directory. */
function meantEndpoint(text: string): string | undefined {
  const url = text.startsWith('/') ? `file://${text}` : `http://${text}`;
  return registryOfUrl(url)?.readUrl(url).ok === true ? url : undefined;
}
