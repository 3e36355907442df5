import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, describeConfigJson } from '../../../src/config/describe.ts';
import { configure } from './configure.ts';

const env = {
  SRC: ':16379,:16380',
  SRV: '/srv/redis/debug',
  ON_CHANGE: 'drain',
  SRC_PG: 'unix:/run/pg',
  DST_PG: 'pg1:5432,[::1]:5432',
  LB_PG: 'on',
  CONNECT_TIMEOUT_PG: '1500ms',
  DSC: 'https://etcd0:2379,https://etcd1:2379',
  ETCDCTL_USER: 'root:hunter2',
  HTTP_ADDR: 'off',
  NET_ADMIN: 'true',
};

test('check prints every service and the process, aligned and without the password', () => {
  assert.equal(
    describeConfig(configure({ env })),
    `service default (SRC)
  src                    :16379, :16380
  srv                    /srv/redis/debug
  net                    tcp4
  balance                ordered
  connect_timeout        5s
  retries                0
  max_fails              3
  fail_timeout           10s
  hold_timeout           0
  health_check           off
  on_change              drain
  on_change_timeout      30s
  reset_jitter           0
  idle_timeout           0
  half_close_timeout     1m
  max_lifetime           0
  keepalive              30s
  max_connections        0
  socket_mode            0666
  proxy_protocol         off
  accept_proxy_protocol  false
  tls_mode               off

service pg (SRC_PG)
  src                    unix:/run/pg
  dst                    pg1:5432, [::1]:5432
  net                    tcp4
  balance                round-robin
  connect_timeout        1s500ms
  retries                0
  max_fails              3
  fail_timeout           10s
  hold_timeout           0
  health_check           off
  on_change              drain
  on_change_timeout      30s
  reset_jitter           0
  idle_timeout           0
  half_close_timeout     1m
  max_lifetime           0
  keepalive              30s
  max_connections        0
  socket_mode            0666
  proxy_protocol         off
  accept_proxy_protocol  false
  tls_mode               off

process
  config_allow_paths    -
  config_allow_listen   -
  dsc                   https://etcd0:2379, https://etcd1:2379
  discovery_on_failure  keep
  discovery_allow       -
  max_members           10000
  etcd_username         root
  etcd_password         (hidden)
  http_addr             off
  admin_addr            127.0.0.1:29092
  socket_mode           0666
  admin_socket_mode     0600
  probe_addr            off
  http_allow_hosts      -
  ready_min_candidates  0
  drain_delay           0
  shutdown_timeout      30s
  max_memory            auto
  engine                auto
  log_level             info
  log_format            json
  access_log            true

warnings
  NET_ADMIN: ignored: no service "admin", and the value is none that NET can have`,
  );
});

test('the services that check --json prints are accepted as SERVICES, and come to the same', () => {
  const config = configure({ env });
  const printed = JSON.parse(describeConfigJson(config)) as { services: unknown; etcd_password: unknown };
  assert.equal(printed.etcd_password, '(hidden)');
  const again = configure({
    env: { DSC: env.DSC, ETCDCTL_USER: env.ETCDCTL_USER, HTTP_ADDR: 'off', SERVICES: JSON.stringify(printed.services) },
  });
  const bare = config.services.map((service) => ({ ...service, origin: '' }));
  assert.deepEqual(
    again.services.map((service) => ({ ...service, origin: '' })),
    bare,
  );
});

test('a directory is printed as the URL that names it', () => {
  const config = configure({ env: { SRC: ':1', SRV: '/a', DSC: 'file:///my%20dir' } });
  assert.match(describeConfig(config), /^ {2}dsc +file:\/\/\/my%20dir$/m);
  assert.match(describeConfigJson(config), /"dsc": \[\s+"file:\/\/\/my%20dir"\s+\]/);
});

test('what could steer a terminal is printed escaped', () => {
  const config = configure({ env: { SRC: ':1', DST: 'a:1', ETCD_USERNAME: 'ro\u001b[2Jot', ETCD_PASSWORD: 'x' } });
  assert.match(describeConfig(config), /^ {2}etcd_username +"ro\\u001b\[2Jot"$/m);
});
