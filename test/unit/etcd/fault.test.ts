import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdFault, faultOf, etcdFaultText } from '../../../src/etcd/fault.ts';

const context = { endpoint: '10.0.0.1:2379', secrets: ['s3cret', undefined, ''] };

test('a system error is named by its errno, with the endpoint', () => {
  const fault = faultOf(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), context);
  assert.equal(etcdFaultText(fault), 'ECONNREFUSED: 10.0.0.1:2379 refused the connection');
  assert.equal(fault.code, 'discovery_unreachable');
});

test("a library's error is named by its class; a refusal by etcd is told apart", () => {
  class EtcdPermissionDeniedError extends Error {}
  const fault = faultOf(new EtcdPermissionDeniedError('7 PERMISSION_DENIED: no'), context);
  assert.equal(etcdFaultText(fault), 'EtcdPermissionDeniedError: 10.0.0.1:2379 7 PERMISSION_DENIED: no');
  assert.equal(fault.code, 'discovery_refused');
});

test('secrets do not come out, whatever a message holds, and messages are short', () => {
  const fault = faultOf(new Error(`bad password s3cret, really s3cret ${'x'.repeat(500)}`), context);
  assert.doesNotMatch(etcdFaultText(fault), /s3cret/);
  assert.ok(fault.message.length <= 200);
});

test('what is a fault already stays as it is; what is no error is named all the same', () => {
  const fault = new EtcdFault('TIMEOUT', 'no answer');
  assert.equal(faultOf(fault, context), fault);
  assert.equal(faultOf('text', context).label, 'UNKNOWN');
});
