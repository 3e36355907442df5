import type { Etcd3, Lease } from 'etcd3';
import { EtcdFault } from './fault.ts';

/** What holds keys for as long as it is renewed. */
export interface EtcdLease {
  /** Decimal, as etcd writes it. */
  readonly id: string;
  /** @returns false when etcd knows it no longer: its keys are gone */
  renew(): Promise<boolean>;
  /** Ends it and deletes its keys. */
  revoke(): Promise<void>;
}

/** A key that is to stand under a lease. */
export interface ClaimOptions {
  readonly key: string;
  readonly value: string;
  readonly lease: EtcdLease;
  /** Leases of this process whose end etcd has not seen: their keys are ours. */
  readonly former: readonly string[];
}

/** The result of a claim: the key is ours now, or another lease holds it ('0': no lease does). */
export type Claim =
  | { readonly kind: 'held'; readonly revision: number }
  | { readonly kind: 'taken'; readonly lease: string; readonly revision: number };

/** The calls of one client that write. Each has the deadline of a call. */
export interface LeaseCalls {
  /** @param ttlSeconds how long it lives without a renewal, at least 1 */
  grant(ttlSeconds: number): Promise<EtcdLease>;
  /** Puts the key, unless somebody else holds it: the one who came first keeps it. */
  claim(options: ClaimOptions): Promise<Claim>;
  /** Deletes a key that the lease holds; another's stays. */
  release(key: string, lease: EtcdLease): Promise<void>;
}

export function leaseCalls(etcd: Etcd3, callMs: number): LeaseCalls {
  return {
    async grant(ttlSeconds) {
      const lease = etcd.lease(ttlSeconds, { autoKeepAlive: false });
      const id = await within(lease.grant(), callMs);
      return {
        id,
        renew: () => renewed(lease, callMs),
        revoke: () => within(lease.revoke(), callMs),
      };
    },
    async claim({ key, value, lease, former }) {
      const put = etcd.put(key).value(value).lease(lease.id);
      const absent = await etcd.if(key, 'Create', '==', 0).then(put).else(etcd.get(key)).commit();
      if (absent.succeeded) return { kind: 'held', revision: Number(absent.header.revision) };
      const found = absent.responses[0]?.response_range.kvs[0];
      const holder = found?.lease ?? '0';
      if (holder === lease.id && found?.value.toString() === value) {
        return { kind: 'held', revision: Number(absent.header.revision) };
      }
      if (holder !== lease.id && !former.includes(holder)) {
        return { kind: 'taken', lease: holder, revision: Number(absent.header.revision) };
      }
      // Compared again: it may have changed hands since.
      const ours = await etcd.if(key, 'Lease', '==', holder).then(put).commit();
      if (ours.succeeded) return { kind: 'held', revision: Number(ours.header.revision) };
      return { kind: 'taken', lease: '0', revision: Number(ours.header.revision) };
    },
    async release(key, lease) {
      await etcd.if(key, 'Lease', '==', lease.id).then(etcd.delete().key(key)).commit();
    },
  };
}

async function renewed(lease: Lease, callMs: number): Promise<boolean> {
  try {
    await within(lease.keepaliveOnce(), callMs);
    return true;
  } catch (error) {
    // The package says so of a lease that etcd does not know.
    if (lease.revoked()) return false;
    throw error;
  }
}

/** The package gives the stream of a renewal no deadline. */
async function within<T>(call: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  // Who stopped waiting does not hear a late failure.
  call.catch(() => undefined);
  try {
    return await Promise.race([
      call,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new EtcdFault('TIMEOUT', `gave no answer within ${ms} ms`)), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
