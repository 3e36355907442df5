import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, type Answer, type Packet } from 'dns-packet';
import { queryFor, readDnsReply, type RecordQuery } from '../../../../src/discovery/dns/reply.ts';

const ID = 4_711;
const QUESTION: RecordQuery = { name: 'a.test', type: 'A' };

const a = (name: string, data: string, ttl = 7): Answer => ({ type: 'A', name, data, ttl });
const cname = (name: string, data: string, ttl = 9): Answer => ({ type: 'CNAME', name, data, ttl });

function say(answers: readonly Answer[], rest: Partial<Packet> = {}): Buffer {
  const { name, type } = QUESTION;
  return encode({ type: 'response', id: ID, questions: [{ name, type }], answers: [...answers], ...rest });
}

const read = (packet: Buffer) => readDnsReply(packet, QUESTION, ID);

test('addresses, with the least time to live, in whatever letters the server writes the name', () => {
  const reply = read(say([a('A.Test', '10.0.0.1', 5), a('a.test', '10.0.0.2', 3)]));
  assert.deepEqual(reply, { kind: 'addresses', addresses: ['10.0.0.1', '10.0.0.2'], ttlMs: 3_000 });
});

test('records of other names are none of the answer', () => {
  const reply = read(say([a('a.test', '10.0.0.1'), a('evil.test', '10.6.6.6')]));
  assert.deepEqual(reply, { kind: 'addresses', addresses: ['10.0.0.1'], ttlMs: 7_000 });
});

test('a chain of CNAME records leads to the addresses at its end, or to a name that has to be asked for', () => {
  const chain = [cname('a.test', 'b.test', 2), cname('b.test', 'c.test')];
  const addresses = ['10.0.0.1'];
  assert.deepEqual(read(say([a('c.test', '10.0.0.1'), ...chain])), { kind: 'addresses', addresses, ttlMs: 2_000 });
  assert.deepEqual(read(say(chain)), { kind: 'alias', target: 'c.test', ttlMs: 2_000 });
});

test('a loop of CNAME records is a fault', () => {
  const loop = [cname('a.test', 'b.test'), cname('b.test', 'A.test')];
  assert.deepEqual(read(say(loop)), { kind: 'failed', fault: 'a loop of CNAME records' });
  assert.deepEqual(read(say([cname('a.test', 'a.test')])), { kind: 'failed', fault: 'a loop of CNAME records' });
});

// The code is the last four bits.
const code = (flags: number) => say([], { flags });

test('there is no such name, or it has no such records, for as long as the zone says', () => {
  assert.deepEqual(read(code(3)), { kind: 'none', reason: 'NXDOMAIN', ttlMs: 0 });
  const soa: Answer = { type: 'SOA', name: 'test', ttl: 20, data: { mname: 'ns', rname: 'root', minimum: 4 } };
  assert.deepEqual(read(say([], { authorities: [soa] })), { kind: 'none', reason: 'no records', ttlMs: 4_000 });
});

test('a server that cannot say is a fault, also without the question', () => {
  assert.deepEqual(read(code(2)), { kind: 'failed', fault: 'SERVFAIL' });
  assert.deepEqual(read(code(5)), { kind: 'failed', fault: 'REFUSED' });
  assert.deepEqual(read(say([], { flags: 1, questions: [] })), { kind: 'failed', fault: 'FORMERR' });
});

test('what was cut off is told, whatever is left of it', () => {
  assert.deepEqual(read(say([a('a.test', '10.0.0.1')], { flags: 0x0200 })), { kind: 'truncated' });
});

test('what answers something else is no answer', () => {
  const good = say([a('a.test', '10.0.0.1')]);
  assert.equal(readDnsReply(good, QUESTION, ID + 1), undefined);
  assert.equal(readDnsReply(good, { name: 'b.test', type: 'A' }, ID), undefined);
  assert.equal(readDnsReply(good, { name: 'a.test', type: 'AAAA' }, ID), undefined);
  assert.equal(read(queryFor(QUESTION, ID, true)), undefined);
  assert.equal(read(say([], { questions: [] })), undefined);
  for (let end = 0; end < good.length; end += 1) assert.doesNotThrow(() => read(good.subarray(0, end)));
});

test('a time to live with the highest bit set is none', () => {
  const addresses = ['10.0.0.1'];
  assert.deepEqual(read(say([a('a.test', '10.0.0.1', 0x8000_0001)])), { kind: 'addresses', addresses, ttlMs: 0 });
});
