import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { hostCheck } from '../../../src/admin/host-check.ts';

const check = hostCheck(['metrics.example.com', '*.corp.example', 'listen.example']);

const ours = [
  undefined,
  '127.0.0.1',
  '10.0.0.1:29091',
  '[::1]',
  '[::1]:29091',
  '[fe80::1]:29091',
  'localhost',
  'localhost:29091',
  'localhost.:29091',
  'app.localhost',
  hostname().toLowerCase(),
  'attache:29091',
  'my_app:29091',
  'attache.shop.svc',
  'attache.shop.svc.cluster.local:29091',
  'metrics.example.com',
  'metrics.example.com.:443',
  'a.corp.example',
  'a.b.corp.example:1',
  'listen.example',
];

const foreign = [
  '',
  ':29091',
  'evil.example',
  'evil.example:29091',
  'evil.example.',
  'metrics.example.com.evil.example',
  'evilmetrics.example.com',
  'corp.example',
  '.corp.example',
  'evil-corp.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io:29091',
  'svc.evil.example',
  '.svc',
  'user@localhost',
  'localhost/evil.example',
  'localhost:29091:1',
  'localhost:http',
  '[::1',
  '[evil.example]',
  '[127.0.0.1]',
  '::1',
  'a b',
  'é.example',
  'evil.example,localhost',
];

for (const host of ours) test(`${host ?? 'no host'} is ours`, () => assert.equal(check(host), true));
for (const host of foreign) test(`"${host}" is not ours`, () => assert.equal(check(host), false));
