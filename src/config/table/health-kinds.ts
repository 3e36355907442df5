import { createRequire } from 'node:module';
import type { RE2JS as Library } from 're2js';
import { parseAddress } from '../../core/address.ts';
import { checkName, type Expectation, type HealthCheck, type HttpCheck } from '../../core/health-check.ts';
import { accept, expected, refuse, type Kind, type Parsed } from './kind.ts';
import { saysOff } from './plain-kinds.ts';

/** What `HEALTH_CHECK` names; what else belongs to a check has settings of its own. */
export type CheckName =
  | 'off'
  | 'tcp'
  | 'tls'
  | 'redis'
  | 'redis-primary'
  | 'redis-replica'
  | 'postgres'
  | Omit<HttpCheck, 'username' | 'password'>;

const NAMES = ['tcp', 'tls', 'redis', 'redis-primary', 'redis-replica', 'postgres'] as const;
const FORMS = 'off, tcp, tls, redis, redis-primary, redis-replica, postgres, or a URL such as http://:8008/primary';
const URL_FORM = /^(https?):\/\/([^/?#]*)([/?][^#]*)?$/i;
/** Whatever else would have to be encoded to be sent. */
const TARGET = /^[\x21-\x7e]*$/;
const MOST_BYTES = 4096;
const ESCAPE = /\\(x[0-9a-fA-F]{2}|[^])?/g;
const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\', '/': '/' };

export const healthCheck: Kind<CheckName> = {
  label: 'health check',
  form: 'one',
  absent: 'off',
  // What stands in a configuration is the whole check.
  format: (value: CheckName | HealthCheck) => (typeof value === 'string' ? value : checkName(value)),
  parse(text) {
    if (saysOff(text)) return accept('off');
    const found = NAMES.find((name) => name === text);
    if (found !== undefined) return accept(found);
    // Whatever stands before an "@" may be a password: nothing of this text is shown.
    if (/^https?:\/\/[^/]*@/i.test(text)) {
      return refuse('expected a URL without credentials (HEALTH_USERNAME, HEALTH_PASSWORD), got one with "@"');
    }
    return /^https?:\/\//i.test(text) ? readUrl(text) : refuse(expected(FORMS, text));
  },
};

/** Bytes with the escapes `\r`, `\n`, `\t`, `\0`, `\\` and `\x00`; a character of the value is a byte. */
export const escapedBytes: Kind<string> = {
  label: 'bytes with escapes',
  form: 'json',
  format: (bytes) => (bytes === '' ? undefined : escaped(bytes)),
  parse: (text) => readBytes(text),
};

/** What an answer begins with, as {@link escapedBytes}; or a regular expression between slashes, `i` behind it for any case. */
export const expectation: Kind<Expectation> = {
  label: 'prefix | /regexp/',
  form: 'json',
  format: (expect) =>
    expect.kind === 'prefix' ? escaped(expect.text) : `/${expect.source}/${expect.ignoreCase ? 'i' : ''}`,
  parse(text) {
    const [, source, flags = ''] = /^\/([^]*)\/([a-z]*)$/.exec(text) ?? [];
    if (source === undefined) {
      const bytes = readBytes(text);
      return bytes.ok ? accept({ kind: 'prefix', text: bytes.value }) : bytes;
    }
    if (flags !== '' && flags !== 'i') return refuse(expected('i, or nothing, behind the last slash', text));
    const fault = source === '' ? 'it is empty' : faultOfPattern(source);
    if (fault !== undefined) return refuse(`${expected('a regular expression of RE2', text)} (${fault})`);
    return accept({ kind: 'pattern', source, ignoreCase: flags === 'i' });
  },
};

/** As it may be typed. */
function escaped(bytes: string): string {
  return bytes.replace(/[^\x20-\x7e]|\\/g, (byte) => {
    if (byte === '\\') return '\\\\';
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function readUrl(text: string): Parsed<CheckName> {
  const [, scheme = '', authority = '', rest = ''] = URL_FORM.exec(text) ?? [];
  if (scheme === '') return refuse(expected('a URL without a fragment, such as http://:8008/primary', text));
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  if (!TARGET.test(target)) return refuse(expected('a path without blanks or characters that are not ASCII', text));
  const place = readAuthority(authority);
  if (place === undefined) return refuse(expected('host:port, :port, or neither, in http://host:port/path', text));
  return accept({ kind: 'http', isSecure: scheme.toLowerCase() === 'https', ...place, target });
}

function readAuthority(authority: string): Pick<HttpCheck, 'host' | 'port'> | undefined {
  if (authority === '') return { host: undefined, port: undefined };
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  const parsed = parseAddress(`${host === '' ? 'localhost' : host}:${port ?? '80'}`, 'candidate');
  if (!parsed.ok || parsed.address.kind !== 'tcp' || (host === '' && port === undefined)) return undefined;
  const numbered = port === undefined ? undefined : parsed.address.port;
  return { host: host === '' ? undefined : parsed.address.host, port: numbered };
}

function readBytes(text: string): Parsed<string> {
  const faults: string[] = [];
  const bytes = text.replace(ESCAPE, (whole, code: string | undefined) => {
    if (code?.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const meant = ESCAPES[code ?? ''];
    if (meant === undefined) faults.push(expected('\\r, \\n, \\t, \\0, \\\\ or \\x and two hexadecimal digits', whole));
    return meant ?? '';
  });
  if (faults.length > 0) return refuse(...new Set(faults));
  const all = Buffer.from(bytes, 'latin1');
  if (all.toString('latin1') !== bytes)
    return refuse(expected('bytes: write what is not ASCII as \\x and two digits', text));
  if (all.length === 0 || all.length > MOST_BYTES) return refuse(expected(`1 to ${MOST_BYTES} bytes`, text));
  return accept(bytes);
}

/** As the library of the matcher sees it, which takes time that grows with the answer alone: it has no look-around or back reference. */
function faultOfPattern(source: string): string | undefined {
  try {
    // Loaded where somebody wrote a pattern, and by nobody else.
    const { RE2JS } = createRequire(import.meta.url)('re2js') as { readonly RE2JS: typeof Library };
    RE2JS.compile(source, RE2JS.DOTALL);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
