import { expected } from '../table/kind.ts';
import type { Report } from '../report.ts';
import { spellBeside } from './spell.ts';
import type { SettingSpec } from '../table/setting-spec.ts';

const QUOTES = '"\'`\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb';
const WRAPPED = new RegExp(`^\\\\?[${QUOTES}][^]*[${QUOTES}]$`);
const OPENED = new RegExp(`^\\\\?[${QUOTES}]`);
const CLOSED = new RegExp(`[${QUOTES}]$`);
const EDGES = /^[\s\p{C}]|[\s\p{C}]$/u;
const LAST_NEWLINE = /\r?\n$/;
const LINE_END = /[\r\n]$/;

const REMOVE_QUOTES = "remove the quotes: docker's --env-file and a Kubernetes env keep them, a shell does not";

/** What a setting says of its value. */
interface WrittenSecret {
  readonly spec: SettingSpec;
  readonly text: string;
  readonly origin: string;
  readonly isPath: boolean;
  readonly isVerbatim?: boolean;
}

/**
 * A setting without what came along with its value from the place it was written in. What cannot be part of a value
 * (quotes of an env file, the carriage return of its lines, blanks of a copy) is refused: passed on, it would name a
 * directory, a file or a user that is not there.
 *
 * @returns undefined when the setting was refused
 */
export function withoutStray<S extends WrittenSecret>(setting: S, report: Report): S | undefined {
  const { spec, origin, isPath } = setting;
  if (spec.kind.form === 'secret' && !isPath) return bareSecret(setting, report);
  const faults = strayFaults(setting);
  for (const fault of faults) report.fault(origin, fault);
  return faults.length > 0 ? undefined : setting;
}

/**
 * A secret without the one newline that `echo` and editors put behind it. Quotes around it and further line breaks are
 * refused. In a file and in a program they can only be there on purpose: those warn.
 */
export function bareSecret<S extends WrittenSecret>(setting: S, report: Report): S | undefined {
  const { origin, isPath, isVerbatim = isPath } = setting;
  const text = setting.text.replace(LAST_NEWLINE, '');
  if (text !== setting.text && !isPath) {
    report.warn(origin, 'ends in a newline, which is left off; store it without one (printf or echo -n)');
  }
  const stray = WRAPPED.test(text) ? 'quotes around it' : LINE_END.test(text) ? 'a line break at its end' : undefined;
  if (stray !== undefined && !isVerbatim) {
    report.fault(origin, `expected a secret without ${stray}, got one with; ${secretRemedy({ ...setting, text })}`);
    return undefined;
  }
  if (stray !== undefined) report.warn(origin, `a secret with ${stray}: taken as it is`);
  return { ...setting, text };
}

function secretRemedy({ spec, origin, text }: WrittenSecret): string {
  const file = spellBeside(origin, `${spec.name}_FILE`);
  const first = WRAPPED.test(text) ? REMOVE_QUOTES : 'remove it';
  return `${first}; a secret that does have them goes into a file that ${file} names`;
}

function strayFaults({ spec, text, isPath }: WrittenSecret): readonly string[] {
  const { kind } = spec;
  // A path beside a secret may be the secret itself, typed into the wrong variable.
  const got = (without: string): string =>
    isPath ? `expected a path without ${without}, got one with` : expected(`a value without ${without}`, text);
  const faults: string[] = [];
  const core = text.trim();
  if (isQuoted(core)) faults.push(`${got('quotes around it')}; ${REMOVE_QUOTES}`);
  // JSON takes blanks anywhere.
  if (kind.form === 'json') return faults;
  // Of an env file each line has one, and a user is told so wherever it stands.
  if (/[^\r]\r$/.test(text)) {
    faults.push(`${got('a carriage return at its end')}; give the file that it comes from Unix line ends`);
  } else if (kind.form === 'list') {
    return faults;
  } else if (core !== '' && EDGES.test(text)) {
    faults.push(`${got('blanks or invisible characters around it')}; remove them`);
  }
  return faults;
}

/** In a pair, or with one that has lost the other; `cn:Ann "Bo" Li` and `cn:O'Hara` are neither. */
export function isQuoted(text: string): boolean {
  if (OPENED.test(text)) return true;
  if (!CLOSED.test(text)) return false;
  const last = text.slice(-1);
  return text.split(last).length % 2 === 0;
}
