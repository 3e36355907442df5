import type { HealthCheck } from '../core/health-check.ts';
import { excerpt } from './excerpt.ts';
import { OK, type CheckProtocol, type HealthVerdict } from './check-protocol.ts';
import { readRespReply, type RespReply } from './resp.ts';

type RedisCheck = Extract<HealthCheck, { readonly kind: 'redis' | 'redis-primary' | 'redis-replica' }>;

/** Error replies of a server that is there and serves those who may use it. */
const ALIVE = /^(?:NOAUTH|NOPERM|WRONGPASS)\b/;

/** `PING`, or `ROLE`, behind `AUTH` where there is a password; both are sent at once. */
export function redisProtocol(check: RedisCheck): CheckProtocol {
  const { kind, username, password } = check;
  const login = password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password]];
  const commands = [...login, [kind === 'redis' ? 'PING' : 'ROLE']];
  const replies = commands.length;
  return {
    send: Buffer.concat(commands.map(command)),
    ending: 'reset',
    judge(answer, isOver) {
      const read = readAll(answer, replies);
      if (read === 'broken') return { isOk: false, fault: `expected an answer of Redis, got "${excerpt(answer)}"` };
      // A server that is full, or protects itself, says so once and closes.
      const last = read.at(-1);
      if (read.length < replies && !(isOver && last?.kind === 'error')) {
        return isOver ? { isOk: false, fault: `expected an answer of Redis, got ${readSoFar(answer)}` } : undefined;
      }
      if (last === undefined) return undefined;
      if (kind === 'redis') return judgePing(last);
      const refused = read.length > 1 && read[0]?.kind === 'error' ? read[0] : undefined;
      return judgeRole(refused ?? last, kind === 'redis-primary' ? 'master' : 'slave');
    },
  };
}

function judgePing(reply: RespReply): HealthVerdict {
  if (reply.kind === 'text' && reply.text === 'PONG') return OK;
  if (reply.kind === 'error' && ALIVE.test(reply.text)) return OK;
  return { isOk: false, fault: `expected PONG, got ${shown(reply)}` };
}

/** The first words of what `ROLE` says: `master`; `slave`, host, port, and how far its link to the master is. */
function judgeRole(reply: RespReply, wanted: 'master' | 'slave'): HealthVerdict {
  const items = reply.kind === 'list' ? reply.items.map((item) => (item.kind === 'text' ? item.text : '')) : [];
  const [role, , , link = ''] = items;
  const what = wanted === 'master' ? 'a primary' : 'a replica';
  if (role !== 'master' && role !== 'slave') return { isOk: false, fault: `expected ${what}, got ${shown(reply)}` };
  if (role !== wanted) {
    const got = role === 'master' ? 'a primary' : 'a replica';
    return { isOk: false, fault: `expected ${what}, got ${got}`, isCertain: true };
  }
  if (wanted === 'master' || link === 'connected') return OK;
  return {
    isOk: false,
    fault: `expected a replica with a link to its primary, got one whose link is "${excerpt(link)}"`,
  };
}

function readAll(answer: Buffer, most: number): readonly RespReply[] | 'broken' {
  const replies: RespReply[] = [];
  let offset = 0;
  while (replies.length < most) {
    const read = readRespReply(answer, offset);
    if (read === 'broken') return read;
    if (read === 'short') break;
    replies.push(read.reply);
    offset = read.end;
  }
  return replies;
}

function readSoFar(answer: Buffer): string {
  return answer.length === 0 ? 'none' : `"${excerpt(answer)}"`;
}

function shown(reply: RespReply): string {
  if (reply.kind === 'list') {
    const [first] = reply.items;
    return first?.kind === 'text' ? `"${excerpt(first.text)}"` : 'a list';
  }
  return `"${excerpt(reply.text)}"`;
}

function command(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}
