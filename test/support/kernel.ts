import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const SYN_SENT = '02';
/** Place of the inode in a line of /proc/net/tcp. */
const INODE = 9;

/** Sockets of this process that are trying to reach a loopback port: what the kernel says, not what we believe. */
export function dialsTo(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const own = ownSockets();
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => state === SYN_SENT && remote?.endsWith(`:${wanted}`))
    .filter((fields) => own.has(fields[INODE] ?? '')).length;
}

/** Inodes of the sockets this process has open. */
function ownSockets(): ReadonlySet<string> {
  const inodes = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    } catch {
      // Closed since it was listed: the descriptor of the listing itself, for one.
      return undefined;
    }
  });
  return new Set(inodes.filter((inode) => inode !== undefined));
}

const KEEP_ALIVE_TIMER = '02';
/** Of the times in /proc: `USER_HZ`, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** When the kernel will send the next keep-alive probe on each connection from or to a loopback port, in ms. */
export function keepAlivesDueMs(port: number): readonly number[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote]) => local?.endsWith(ending) === true || remote?.endsWith(ending) === true)
    .flatMap(([, , , , , timer = '']) => {
      const [kind, due = ''] = timer.split(':');
      return kind === KEEP_ALIVE_TIMER ? [(Number.parseInt(due, 16) / TICKS_PER_SECOND) * 1_000] : [];
    });
}

/** Descriptors a process has open; this one by default. */
export function openDescriptors(pid = process.pid): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** How many descriptors a process may have open at once. */
export function descriptorLimit(pid = process.pid): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1];
  return Number(soft ?? Infinity);
}

/** Memory of a process that is in RAM, kB. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
