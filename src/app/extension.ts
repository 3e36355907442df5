import type { Address } from '../core/address.ts';

/** A part that lives as long as the ambassador. Its own trouble is its own: no call rejects. */
export interface Extension {
  /** Called when the services start. The ambassador has started when this has resolved. */
  start(): Promise<void>;
  /**
   * Called when the ambassador is not ready any more and still accepts: the moment to deregister. The listeners
   * stay open until this has resolved, at most {@link DRAINING_LIMIT_MS}; `DRAIN_DELAY` comes after it.
   */
  draining?(): Promise<void>;
  /** Called when everything else is closed. */
  close(): Promise<void>;
  /** The address on which the extension listens now, if any: members of a registry must not lead there. */
  address?(): Address | undefined;
}

/** The longest that extensions keep the listeners open by their `draining`, ms. */
export const DRAINING_LIMIT_MS = 5_000;
