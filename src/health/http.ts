import { formatAddress, type Address } from '../core/address.ts';
import type { HttpCheck } from '../core/health-check.ts';
import { excerpt } from './excerpt.ts';
import { OK, type CheckProtocol, type HealthVerdict } from './check-protocol.ts';

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n/;
const HEAD_END = /\r?\n\r?\n/;
const LENGTH = /^content-length:[ \t]*(\d+)[ \t]*\r?$/im;
/** Less than this has no whole `HTTP/1.1 200`. */
const BEGINNING = 'HTTP/1.';

/** A GET. Its answer is read to its end, within bounds, so that the server need not write to somebody who has left. */
export function httpProtocol(check: HttpCheck, candidate: Address): CheckProtocol {
  const { target, username, password, isSecure } = check;
  const host = hostOf(check, candidate);
  const login = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
  const head = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'User-Agent: attache-health-check',
    'Accept: */*',
    ...(username === undefined && password === undefined ? [] : [`Authorization: Basic ${login}`]),
    'Connection: close',
    '',
    '',
  ];
  // Over TLS an end without close_notify would be the fault of nobody but us.
  return { send: Buffer.from(head.join('\r\n')), judge, ending: isSecure ? 'finish' : 'reset' };
}

function judge(answer: Buffer, isOver: boolean): HealthVerdict | undefined {
  const text = answer.toString('latin1');
  const [line, code = '', reason = ''] = STATUS_LINE.exec(text) ?? [];
  if (line === undefined) {
    const isPossible = text.length < BEGINNING.length ? BEGINNING.startsWith(text) : text.startsWith(BEGINNING);
    if (isPossible && !isOver && !text.includes('\n')) return undefined;
    const got = text === '' ? 'no answer' : `"${excerpt(text)}"`;
    return { isOk: false, fault: `expected an answer of HTTP/1, got ${got}` };
  }
  if (!isOver && !isWhole(text)) return undefined;
  if (code.startsWith('2')) return OK;
  return { isOk: false, fault: `expected 2xx, got ${code}${reason === '' ? '' : ` ${excerpt(reason)}`}` };
}

/** Whether nothing more is to come, as far as the answer itself tells. */
function isWhole(text: string): boolean {
  const end = HEAD_END.exec(text);
  if (end === null) return false;
  const length = LENGTH.exec(text.slice(0, end.index))?.[1];
  return length !== undefined && text.length >= end.index + end[0].length + Number(length);
}

function hostOf({ host, port, isSecure }: HttpCheck, candidate: Address): string {
  if (candidate.kind === 'unix' && host === undefined) return 'localhost';
  const named = host ?? (candidate.kind === 'tcp' ? candidate.host : 'localhost');
  const numbered = port ?? (candidate.kind === 'tcp' ? candidate.port : isSecure ? 443 : 80);
  return formatAddress({ kind: 'tcp', host: named, port: numbered });
}
