import { readdirSync, readlinkSync } from 'node:fs';

/** Whether a process has a file open whose path begins so, beside its standard input and outputs. */
export function hasOpen(pid: number, path: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return Number(fd) > 2 && readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(path);
    } catch {
      // It has been closed since.
      return false;
    }
  });
}
