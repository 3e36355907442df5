import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReport } from '../../../bench/load/stream.ts';
import { kernelVersion } from '../../../bench/machine.ts';
import { mostConnections } from '../../../bench/most-connections.ts';
import { isListening } from '../../../bench/ports.ts';
import { anonymousOf, cpuTicks, privateKbOf, residentOf, usageOf } from '../../../bench/process-usage.ts';

test('CPU is user and system time of a process and of its ended children, whatever its name holds', () => {
  const fields = ['S', ...Array.from({ length: 10 }, () => '7'), '100', '20', '3', '4', '20', '0'].join(' ');
  assert.equal(cpuTicks(`42 (a name) 1 2 (3) ${fields}`), 127);
});

test('resident memory is read, and a zombie has none', () => {
  assert.equal(residentOf('Name:\tx\nVmRSS:\t   1234 kB\nThreads:\t1\n'), 1234);
  assert.equal(residentOf('Name:\tx\nState:\tZ (zombie)\n'), 0);
});

test('private memory is what no file is behind: a part of the resident memory that grows with what is written', () => {
  assert.equal(anonymousOf('Rss:\t  900 kB\nAnonymous:\t   1234 kB\nAnonHugePages:\t 5 kB\n'), 1234);
  assert.equal(anonymousOf(''), 0);
  const before = privateKbOf([process.pid]);
  assert.ok(before > 1_000 && before < usageOf([process.pid]).residentKb);
  const written = Buffer.alloc(50 * 1024 * 1024, 1);
  assert.ok(privateKbOf([process.pid]) >= before + written.length / 1024 - 10_000);
  assert.equal(privateKbOf([2 ** 30]), 0);
});

test('usage of this process grows with its work, and of one that is not there is nothing', () => {
  const before = usageOf([process.pid]);
  assert.ok(before.residentKb > 1_000);
  const until = process.cpuUsage().user + 60_000;
  while (process.cpuUsage().user < until);
  assert.ok(usageOf([process.pid]).cpuMs >= before.cpuMs + 30);
  assert.deepEqual(usageOf([2 ** 30]), { cpuMs: 0, residentKb: 0 });
});

test('a listener on loopback or everywhere is found, a connection or another port is not', () => {
  const line = (local: string, remote: string, state: string) =>
    `   0: ${local} ${remote} ${state} 00000000:00000000\n`;
  assert.ok(isListening(line('0100007F:3039', '00000000:0000', '0A'), 12_345));
  assert.ok(isListening(line('00000000:3039', '00000000:0000', '0A'), 12_345));
  assert.ok(!isListening(line('0100007F:3039', '0100007F:1F90', '01'), 12_345));
  assert.ok(!isListening(line('0200007F:3039', '00000000:0000', '0A'), 12_345));
  assert.ok(!isListening(line('0100007F:303A', '00000000:0000', '0A'), 12_345));
});

test('what arrived is read from the report of iperf3; its own error is passed on', () => {
  assert.deepEqual(parseReport('{"end":{"sum_received":{"bytes":2,"seconds":0.5}}}'), { bytes: 2, seconds: 0.5 });
  assert.throws(() => parseReport('{"start":{},"end":{},"error":"unable to connect"}'), /iperf3: unable to connect/);
  assert.throws(() => parseReport('{"end":{}}'), /nothing arrived/);
  assert.throws(() => parseReport('{"end":{"sum_received":{"bytes":0,"seconds":1}}}'), /nothing arrived/);
  assert.throws(() => parseReport('iperf3 was ended'), /no report/);
});

test('as many connections as are wanted, or as the open files allow', () => {
  assert.equal(mostConnections(5_000, 20_000), 5_000);
  assert.equal(mostConnections(10_000, 20_000), 9_600);
  assert.equal(mostConnections(10_000, 1_048_576), 10_000);
  assert.equal(mostConnections(5_000, 1_024), 100);
  assert.equal(mostConnections(5_000, 64), 1);
});

test('what a builder appended to the version of the kernel is left out', () => {
  assert.equal(kernelVersion('6.1.0-18-amd64'), '6.1.0');
  assert.equal(kernelVersion('5.15.0-somebody@somewhere'), '5.15.0');
});
