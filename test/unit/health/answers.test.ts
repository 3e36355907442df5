import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthCheck } from '../../../src/core/health-check.ts';
import { placeFor, protocolFor } from '../../../src/health/protocol-for.ts';
import type { CheckProtocol } from '../../../src/health/check-protocol.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

const HERE = { kind: 'tcp', host: '10.0.0.1', port: 6379 } as const;
const NOBODY = { username: undefined, password: undefined };

function ask(check: HealthCheck): CheckProtocol {
  const question = protocolFor(check, HERE);
  assert.ok(question);
  return question;
}

/** `ok`, `more`, the fault, or the fault with `!` before it when it is certain. */
function judge(check: HealthCheck, answer: string, isOver = true): string {
  const verdict = ask(check).judge(Buffer.from(answer, 'latin1'), isOver);
  if (verdict === undefined) return 'more';
  if (verdict.isOk) return 'ok';
  return `${verdict.isCertain === true ? '!' : ''}${verdict.fault}`;
}

const redis = { kind: 'redis', ...NOBODY } as const;
const primary = { kind: 'redis-primary', ...NOBODY } as const;
const replica = { kind: 'redis-replica', ...NOBODY } as const;
const MASTER = '*3\r\n$6\r\nmaster\r\n:3129659\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n9001\r\n$7\r\n3129242\r\n';
const slave = (link: string) =>
  `*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:9000\r\n$${link.length}\r\n${link}\r\n:3167038\r\n`;

test('redis: PONG and a want of rights are alive; loading, full, protected and foreign servers are not', () => {
  assert.equal(ask(redis).send.toString(), '*1\r\n$4\r\nPING\r\n');
  assert.equal(judge(redis, '+PONG\r\n'), 'ok');
  assert.equal(judge(redis, '-NOAUTH Authentication required.\r\n'), 'ok');
  assert.equal(
    judge(redis, '-LOADING Redis is loading the dataset in memory\r\n'),
    'expected PONG, got "LOADING Redis is loading the dataset in memory"',
  );
  assert.match(judge(redis, '-ERR max number of clients reached\r\n'), /got "ERR max number of clients reached"/);
  assert.match(judge(redis, '-DENIED Redis is running in protected mode\r\n'), /DENIED/);
  assert.match(judge(redis, 'HTTP/1.1 400 Bad Request\r\n\r\n'), /expected an answer of Redis, got "HTTP/);
  assert.equal(judge(redis, '+PO', false), 'more');
  assert.equal(judge(redis, '', false), 'more');
  assert.equal(judge(redis, ''), 'expected an answer of Redis, got none');
});

test('redis with a password: AUTH goes first; a password that is refused is alive, and has no role', () => {
  const login = { username: 'check', password: 'p w\r\n' };
  assert.equal(
    ask({ ...redis, ...login }).send.toString(),
    '*3\r\n$4\r\nAUTH\r\n$5\r\ncheck\r\n$5\r\np w\r\n\r\n*1\r\n$4\r\nPING\r\n',
  );
  assert.equal(judge({ ...redis, ...login }, '+OK\r\n', false), 'more');
  assert.equal(judge({ ...redis, ...login }, '+OK\r\n+PONG\r\n'), 'ok');
  const refused = '-WRONGPASS invalid username-password pair\r\n-NOAUTH Authentication required.\r\n';
  assert.equal(judge({ ...redis, ...login }, refused), 'ok');
  assert.match(judge({ ...primary, ...login }, refused), /expected a primary, got "WRONGPASS/);
  assert.equal(judge({ ...primary, ...login }, `+OK\r\n${MASTER}`), 'ok');
});

test('roles: what ROLE says; another role is certain, a broken link and an error are not', () => {
  assert.equal(judge(primary, MASTER), 'ok');
  assert.equal(judge(primary, slave('connected')), '!expected a primary, got a replica');
  assert.equal(judge(replica, slave('connected')), 'ok');
  assert.equal(judge(replica, MASTER), '!expected a replica, got a primary');
  assert.match(judge(replica, slave('connecting')), /one whose link is "connecting"/);
  assert.match(judge(primary, '-LOADING Redis is loading\r\n'), /^expected a primary, got "LOADING/);
  assert.match(judge(primary, '*2\r\n$8\r\nsentinel\r\n*0\r\n'), /^expected a primary, got "sentinel"/);
  for (let end = 0; end < MASTER.length; end += 1) assert.equal(judge(primary, MASTER.slice(0, end), false), 'more');
});

test('a reply that is hostile is refused, and not waited for', () => {
  assert.match(judge(primary, '*999999999\r\n', false), /expected an answer of Redis/);
  assert.match(judge(primary, '*1\r\n'.repeat(50), false), /expected an answer of Redis/);
  assert.match(judge(primary, '\u0000'.repeat(2_000), false), /expected an answer of Redis/);
  assert.equal(judge(primary, '$999999\r\nabc', false), 'more');
});

test('postgres: S and N are alive, anything else is not', () => {
  const check = { kind: 'postgres' } as const;
  assert.deepEqual([...ask(check).send], [0, 0, 0, 8, 4, 210, 22, 47]);
  assert.equal(ask(check).ending, 'finish');
  assert.equal(judge(check, 'S', false), 'ok');
  assert.equal(judge(check, 'N', false), 'ok');
  assert.match(judge(check, 'Efoo', false), /expected S or N/);
  assert.equal(judge(check, '', false), 'more');
  assert.match(judge(check, ''), /got none/);
});

test('http: 2xx is healthy once the answer is whole, or there is no time for more', () => {
  const check = { kind: 'http', isSecure: false, host: undefined, port: 8008, target: '/primary', ...NOBODY } as const;
  const login = { ...check, username: 'u', password: 'p' };
  assert.match(ask(check).send.toString(), /^GET \/primary HTTP\/1\.1\r\nHost: 10\.0\.0\.1:8008\r\n/);
  assert.doesNotMatch(ask(check).send.toString(), /Authorization/);
  assert.match(ask(login).send.toString(), /\r\nAuthorization: Basic dTpw\r\n/);
  assert.deepEqual(placeFor(check, HERE), { kind: 'tcp', host: '10.0.0.1', port: 8008 });
  assert.deepEqual(placeFor({ ...check, host: 'probe', port: undefined }, HERE), { ...HERE, host: 'probe' });
  assert.deepEqual(placeFor({ kind: 'postgres' }, HERE), HERE);
  const head = 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n';
  assert.equal(judge(check, `${head}{`, false), 'more');
  assert.equal(judge(check, `${head}{}`, false), 'ok');
  assert.equal(judge(check, 'HTTP/1.1 204 No Content\r\n\r\n'), 'ok');
  assert.equal(judge(check, 'HTTP/1.1 503 Service Unavailable\r\n\r\n'), 'expected 2xx, got 503 Service Unavailable');
  assert.equal(judge(check, 'HTTP/1.1 302 Found\r\n\r\n'), 'expected 2xx, got 302 Found');
  assert.equal(judge(check, 'HT', false), 'more');
  assert.match(judge(check, 'SSH-2.0-OpenSSH', false), /expected an answer of HTTP\/1, got "SSH/);
  assert.match(judge(check, ''), /no answer/);
});

test('send and expect: a prefix is judged as soon as it can be, a pattern when it is found or all is there', () => {
  const send = 'QUIT\r\n';
  const prefix = { kind: 'tcp', send, expect: { kind: 'prefix', text: '220 ' } } as const;
  const pattern = {
    kind: 'tcp',
    send: '',
    expect: { kind: 'pattern', source: '^2\\d0.*ready', ignoreCase: true },
  } as const;
  assert.equal(ask(prefix).send.toString(), send);
  assert.equal(judge(prefix, '22', false), 'more');
  assert.equal(judge(prefix, '220 mail', false), 'ok');
  assert.equal(judge(prefix, '554 no', false), 'expected what HEALTH_EXPECT says, got "554 no"');
  assert.equal(judge(pattern, '220 mail\r\n', false), 'more');
  assert.equal(judge(pattern, '220 mail\r\n220 READY', false), 'ok');
  assert.match(judge(pattern, '554 no'), /got "554 no"/);
  assert.equal(protocolFor({ kind: 'tcp', send: '', expect: undefined }, HERE), undefined);
});

test('a pattern that would take exponential time with back-tracking takes next to none', () => {
  const check = { kind: 'tcp', send: '', expect: { kind: 'pattern', source: '^(a+)+$', ignoreCase: false } } as const;
  const since = new Stopwatch();
  assert.match(judge(check, `${'a'.repeat(16_000)}!`), /expected what HEALTH_EXPECT says/);
  assert.ok(since.ms() < 2_000, `${since.ms()} ms`);
});
