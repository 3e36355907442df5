import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** What a reader needs to judge the figures, and nothing that says whose machine it is. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly system: string;
  readonly openFiles: number;
  /** Load average over one minute when the run began: other work makes figures worse. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 1e8) / 10,
    kernel: kernelVersion(release()),
    system: systemName(),
    openFiles: openFilesLimit(),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Open files that a process started from here may have. Node has raised its own limit to this at its start. */
export function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, limit] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  const parsed = Number(limit);
  return Number.isFinite(parsed) ? parsed : 1_048_576;
}

/** Without what a builder appended, which may be a name. */
export function kernelVersion(release: string): string {
  return /^\d+([.]\d+)*/.exec(release)?.[0] ?? 'unknown';
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}
