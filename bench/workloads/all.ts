import { bulk } from './bulk.ts';
import { connect } from './connect.ts';
import { idle } from './idle.ts';
import { scale } from './scale.ts';
import { small } from './small.ts';
import { start } from './start.ts';
import { tls } from './tls.ts';
import type { Workload, WorkloadName } from './workload.ts';

export const workloads: Readonly<Record<WorkloadName, Workload>> = { small, bulk, connect, idle, tls, start, scale };
