import { readFileSync } from 'node:fs';
import { scratchFile, type Lab } from '../lab.ts';
import { listening } from '../ports.ts';
import { needProgram } from '../programs.ts';
import type { Proxy } from '../proxy.ts';

export interface StreamLoad {
  readonly proxy: Proxy;
  /** Port that the proxy dials: iperf3 listens there for as long as this takes. */
  readonly to: number;
  readonly gigabytes: number;
  readonly direction: 'up' | 'down';
  readonly streams: number;
}

export interface StreamReading {
  readonly cpuSecondsPerGigabyte: number;
  readonly gigabitsPerSecond: number;
}

const SLOWEST_GIGABYTE_MS = 60_000;

/** CPU of a proxy per 10^9 bytes of iperf3. */
export async function readStream(lab: Lab, load: StreamLoad): Promise<StreamReading> {
  const { proxy, to, gigabytes, direction, streams } = load;
  const processes = lab.processes.part();
  try {
    const program = needProgram('iperf3');
    // -1: one test, then it ends. Nothing of a test that failed is in the way of the next.
    const server = await processes.start({
      program,
      args: ['-s', '-1', '-B', '127.0.0.1', '-p', `${to}`],
      output: scratchFile(lab, 'iperf3-server.log'),
    });
    await Promise.race([listening(to, lab.signal), server.died]);
    const report = scratchFile(lab, 'iperf3.json');
    const before = proxy.usage();
    const client = await processes.start({
      program,
      args: [
        ...['-c', '127.0.0.1', '-p', `${proxy.port}`, '-J', '-n', `${Math.round(gigabytes * 1e9)}`],
        ...['-P', `${streams}`, ...(direction === 'down' ? ['-R'] : [])],
      ],
      output: report,
    });
    const deadline = AbortSignal.any([AbortSignal.timeout(10_000 + gigabytes * SLOWEST_GIGABYTE_MS), lab.signal]);
    await Promise.race([client.exited, aborted(deadline), ...proxy.processes.map(({ died }) => died)]);
    const after = proxy.usage();
    const { bytes, seconds } = parseReport(readFileSync(report, 'utf8'));
    return {
      cpuSecondsPerGigabyte: ((after.cpuMs - before.cpuMs) / 1000) * (1e9 / bytes),
      gigabitsPerSecond: (bytes * 8) / 1e9 / seconds,
    };
  } finally {
    await processes.stop();
  }
}

/**
 * What arrived, and in what time, out of iperf3's own report.
 * @throws with what iperf3 said was wrong.
 */
export function parseReport(text: string): { readonly bytes: number; readonly seconds: number } {
  const report = parse(text);
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  const { bytes = 0, seconds = 0 } = report.end?.sum_received ?? {};
  if (bytes <= 0 || seconds <= 0) throw new Error('iperf3: nothing arrived');
  return { bytes, seconds };
}

interface Report {
  readonly error?: string;
  readonly end?: { readonly sum_received?: { readonly bytes?: number; readonly seconds?: number } };
}

function parse(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch (error) {
    throw new Error(`iperf3 wrote no report: ${text.trim().slice(0, 200)}`, { cause: error });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
