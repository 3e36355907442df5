import { bulk } from './bulk.ts';
import { checks } from './checks.ts';
import { connect } from './connect.ts';
import { failoverPatroni } from './failover-patroni.ts';
import { failover } from './failover.ts';
import { fairness } from './fairness.ts';
import { idle } from './idle.ts';
import { registry } from './registry.ts';
import { scale } from './scale.ts';
import { small } from './small.ts';
import { start } from './start.ts';
import { tls } from './tls.ts';
import type { Workload } from './workload.ts';
import type { WorkloadName } from '../names.ts';

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  small,
  bulk,
  connect,
  idle,
  tls,
  start,
  scale,
  fairness,
  failover,
  'failover-patroni': failoverPatroni,
  checks,
  registry,
};
