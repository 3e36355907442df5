import type { Kind } from '../../src/config/table/kind.ts';

/** Regular expressions as JSON Schema, JavaScript and Go all read them: no look-around, no flags. */
/** As short as it can be: helm shows all of it to whoever wrote something else. */
const ADDRESS = '(unix:/[^, ]+|(tcp://)?[^,/ ]*:[0-9]{1,5})';
const OFF = anyCase(['off', 'false', 'no']);

/** What one text of a kind looks like, or one item of a list; by the label of the kind. Kinds that take any text are not here. */
const items: Readonly<Record<string, string>> = {
  'list of addresses': ADDRESS,
  'address | off': `(${ADDRESS}|${OFF})`,
  'list of directories': String.raw`/[^/, ]+(/[^/, ]+)*/?`,
  'host:port | :port': '[^,/ ]*:[0-9]{1,5}',
  key: String.raw`(/[^/ ]+)+/?`,
  'list of folders': '(/|s3://)[^, ]*',
  'list of ports': '([^,/ ]*:[0-9]{1,5}(-[0-9]{1,5})?|unix:/[^, ]+)',
  '0 to 65535': '[0-9]{1,5}',
  zone: '[A-Za-z0-9_.:/-]{1,64}',
  'service name': String.raw`/?[^/ ]+(/[^/ ]+)*/?`,
  duration: '(([0-9]+(ms|s|m|h))+|0)',
  'whole number': '[0-9]{1,10}',
  'memory size': `(${anyCase(['auto', 'off', 'false', 'no'])}|0|[0-9]{1,15}(k|M|G|Ki|Mi|Gi)?)`,
  boolean: anyCase(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']),
  'list of CIDR blocks': String.raw`[0-9A-Fa-f.:/\[\]]+`,
  'list of host names': String.raw`(\*\.)?[A-Za-z0-9_][A-Za-z0-9_.-]*`,
  'list of dns:, uri:, ip: and cn: names': '(dns|uri|ip|cn):[^,]+',
  'list of cipher suites': '[A-Za-z0-9][A-Za-z0-9_-]+',
};
/** Between the items of a list, beside the comma. */
const separators: Readonly<Record<string, string>> = { 'list of cipher suites': '[,:;]' };

/** A kind that is a choice among these, as its label says; undefined for any other. */
export function choicesOf({ label, parse }: Kind<unknown>): readonly string[] | undefined {
  const names = label.split(' | ');
  const takesAny = parse('no-name-of-any-choice').ok;
  return names.length > 1 && !takesAny && names.every((name) => parse(name).ok) ? names : undefined;
}

/** What one item of a list looks like, or the whole text of another kind; undefined when any text may do. */
export function itemPattern(kind: Kind<unknown>): string | undefined {
  const choices = choicesOf(kind);
  if (choices === undefined) return items[kind.label];
  const other = ['warning', 'false', 'no', 'true', 'yes'].filter((name) => kind.parse(name).ok);
  return choices.every((name) => kind.parse(name.toUpperCase()).ok)
    ? anyCase([...choices, ...other])
    : `(${choices.join('|')}${other.length === 0 ? '' : `|${anyCase([...new Set([...other, ...choices.filter(isSwitch)])])}`})`;
}

/** The whole text: nothing, which counts as not set, or what the kind takes. */
export function valuePattern(kind: Kind<unknown>): string | undefined {
  const item = itemPattern(kind);
  if (item === undefined) return undefined;
  if (kind.form !== 'list') return `^(${item})?$`;
  return `^( *${item}( *${separators[kind.label] ?? ','} *${item})* *)?$`;
}

function isSwitch(name: string): boolean {
  return name === 'off' || name === 'on';
}

/** `[oO][nN]`: there is no flag for it that everybody reads. */
function anyCase(names: readonly string[]): string {
  const either = (letter: string) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`;
  return `(${names.map((name) => name.replaceAll(/[a-z]/gi, either)).join('|')})`;
}
