import type { EtcdFault } from './fault.ts';

/**
 * How a session with one endpoint ended:
 *
 * - `failed`: it never came up;
 * - `dropped`: it was up and ended;
 * - `unresponsive`: it was up, and etcd did not answer a call.
 */
export type SessionEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly fault: EtcdFault }
  | { readonly kind: 'dropped' | 'unresponsive'; readonly fault: EtcdFault; readonly upMs: number };
