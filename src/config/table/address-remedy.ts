import { formatAddress, parseAddress, type AddressRole } from '../../core/address.ts';
import { didYouMean } from '../gather/nearest.ts';

const VARIABLE = /\$[{(]?[A-Za-z_]/;
const PLACEHOLDER = /<[^<>]*>/;
const SETTING_BEFORE = /^(?:export\s+)?[A-Z_]+=/;
/** A scheme, who logs in, and what is behind the port. */
const URL_FORM = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^]*@)?([^/?#@]+)/i;
const TLS_SCHEME = /^(?:rediss|https|tls|ssl|amqps|ldaps|mqtts):\/\//i;
const PUBLISHED_PORT = /^(\d+):([^:]+:\d+)$/;
const LONE_HOST = /^[a-z0-9][a-z0-9._-]*$/i;
const PORT = /^\d{1,5}$/;
/** What is written between addresses in place of a comma, and around them. */
const WRONG_LIST = /[;|]|[^\s,]\s+[^\s,]|^\s*\[/;

/**
 * What to do about a text that is no address, to stand behind the fault; empty where nothing can be said.
 *
 * @param usual the port of an example
 */
export function addressRemedy(text: string, role: AddressRole, usual = 6379): string {
  if (VARIABLE.test(text)) {
    return '; nothing has replaced the variable: a shell and a compose file do so, an --env-file does not';
  }
  const [placeholder] = PLACEHOLDER.exec(text) ?? [];
  if (placeholder !== undefined) return `; put a host name in place of ${placeholder}`;
  const [, listener, candidate = ''] = role === 'listen' ? (PUBLISHED_PORT.exec(text) ?? []) : [];
  if (listener !== undefined && isAddress(candidate, 'candidate')) {
    return `; did you mean :${listener} here, and ${candidate} in DST?`;
  }
  const meant = meantAddress(text, role);
  if (meant !== undefined) return `${didYouMean(meant)}${TLS_SCHEME.test(text) ? ' TLS to it is TLS_MODE=client' : ''}`;
  return LONE_HOST.test(text) && !PORT.test(text) ? `; add its port, as in ${text}:${usual}` : '';
}

/** A list of addresses that are not joined by commas alone, as it should be written; undefined when the text is no such list. */
export function meantAddresses(text: string, role: AddressRole): string | undefined {
  const [, host, port] = /^([^,:\s]+),\s*(\d{1,5})$/.exec(text) ?? [];
  if (host !== undefined && !PORT.test(host) && isAddress(`${host}:${port}`, role)) return `${host}:${port}`;
  if (!WRONG_LIST.test(text)) return undefined;
  const items = text
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(/[;|,\s]+/)
    .map((item) => item.replace(/^["']|["']$/g, ''))
    .filter((item) => item !== '');
  return items.length > 0 && items.every((item) => isAddress(item, role)) ? items.join(',') : undefined;
}

function meantAddress(text: string, role: AddressRole): string | undefined {
  const bare = text.replace(SETTING_BEFORE, '').trim();
  const [, authority = ''] = URL_FORM.exec(bare) ?? [];
  const [, host, port] = /^(\S+)\s+(\d+)$/.exec(bare) ?? [];
  const own = role === 'listen' ? '' : 'localhost';
  const readings = [
    bare,
    authority,
    ...(host === undefined ? [] : [`${host}:${port}`]),
    ...(PORT.test(bare) ? [`${own}:${bare}`] : []),
    ...(role === 'listen' ? [bare.replace(/^\*:/, ':'), bare.replace(/^(\d+):\d+$/, ':$1')] : []),
  ];
  return readings.find((reading) => reading !== text && isAddress(reading, role));
}

function isAddress(text: string, role: AddressRole): boolean {
  const parsed = parseAddress(text, role);
  // A port alone is no host.
  return parsed.ok && !/^\d+:/.test(formatAddress(parsed.address));
}
