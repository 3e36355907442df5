import { readdirSync, readFileSync } from 'node:fs';

const SYN_SENT = '02';

/** Sockets of this machine that are trying to reach a loopback port: what the kernel says, not what we believe. */
export function dialsTo(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => state === SYN_SENT && remote?.endsWith(`:${wanted}`)).length;
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

/** Descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
