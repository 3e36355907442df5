import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestsOf } from '../../../bench/backends/etcd.ts';
import { mostInASecond } from '../../../bench/workloads/registry.ts';

test('the calls of all methods are added up', () => {
  const metrics = `# TYPE grpc_server_started_total counter
grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"} 100
grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 1.5e+03
grpc_server_handled_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 7
`;
  assert.equal(requestsOf(metrics), 1_600);
  assert.equal(requestsOf(''), 0);
});

test('the busiest second is found, whatever came before and after it', () => {
  const samples = [
    { at: 0, requests: 0 },
    { at: 600, requests: 10 },
    { at: 1_100, requests: 300 },
    { at: 1_500, requests: 500 },
    { at: 3_000, requests: 510 },
  ];
  assert.equal(mostInASecond(samples), 490);
});

test('samples that are further apart than a second count for their share of it', () => {
  const samples = [
    { at: 0, requests: 0 },
    { at: 4_000, requests: 4_000 },
  ];
  assert.equal(mostInASecond(samples), 1_000);
  assert.equal(mostInASecond([{ at: 0, requests: 9 }]), 0);
});
