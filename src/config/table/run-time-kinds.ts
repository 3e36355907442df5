import { isAbsolute, resolve } from 'node:path';
import { formatAddress, parseAddress } from '../../core/address.ts';
import { readServiceDirectory } from '../../discovery/service-directory.ts';
import { accept, expected, listOf, refuse, type Kind, type Parsed } from './kind.ts';

/** A key of the registry. With its slash, as etcd shows it. */
export const registryKey: Kind<string> = {
  label: 'key',
  form: 'one',
  format: (key) => key,
  parse(text) {
    if (!text.startsWith('/')) return refuse(expected('a key such as /attache/web', text));
    const read = readServiceDirectory(text);
    return read.ok ? accept(read.value) : refuse(expected('a key such as /attache/web', text));
  },
};

/** Folders, and prefixes in S3. */
export const materialPlaces: Kind<readonly string[], string | readonly string[]> = listOf<string>({
  label: 'list of folders',
  item(text) {
    if (/^s3:\/\/[^/]+\/?/.test(text)) return accept(text.endsWith('/') ? text : `${text}/`);
    if (isAbsolute(text) && /^\P{Cc}+$/u.test(text)) return accept(resolve(text));
    return refuse(expected('the absolute path of a folder, or s3://bucket/prefix', text));
  },
  format: (place) => place,
  identity: (place) => place,
});

/** Where a list that comes at run time may listen: some ports of one host, or of every host, or Unix sockets. */
export type ListenRule =
  | {
      readonly kind: 'tcp';
      /** Empty: every host. */
      readonly host: string;
      readonly from: number;
      readonly to: number;
    }
  /** One socket; with a slash at its end every socket in that folder. */
  | { readonly kind: 'unix'; readonly path: string };

export const listenRules: Kind<readonly ListenRule[], string | readonly string[]> = listOf<ListenRule>({
  label: 'list of ports',
  item: readRule,
  format: formatRule,
  identity: formatRule,
});

function readRule(text: string): Parsed<ListenRule> {
  const wanted = ':port, :first-last, host:port, host:first-last, unix:/path or unix:/folder/';
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    const isFine = isAbsolute(path) && !path.split('/').includes('..') && /^\P{Cc}+$/u.test(path);
    return isFine ? accept({ kind: 'unix', path }) : refuse(expected(wanted, text));
  }
  const [, place = '', last] = /^(.*:\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const parsed = parseAddress(place, 'listen');
  if (!parsed.ok || parsed.address.kind === 'unix') return refuse(expected(wanted, text));
  const { host, port: from } = parsed.address;
  const to = last === undefined ? from : Number(last);
  if (from < 1 || to < from || to > 65_535) return refuse(expected(wanted, text));
  return accept({ kind: 'tcp', host, from, to });
}

function formatRule(rule: ListenRule): string {
  if (rule.kind === 'unix') return `unix:${rule.path}`;
  const first = formatAddress({ kind: 'tcp', host: rule.host, port: rule.from });
  return rule.to === rule.from ? first : `${first}-${rule.to}`;
}
