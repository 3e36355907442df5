import type { Address } from '../../core/address.ts';
import type {
  Dial,
  DialOwner,
  DialSettings,
  Engine,
  Listener,
  ListenerOptions,
  Relay,
  RelayOptions,
} from '../engine.ts';
import type { NativeAddon } from './bindings.ts';
import { NativeCandidate } from './candidate.ts';
import { NativeClient } from './client.ts';
import { NativeDial } from './dial.ts';
import { nativeListener } from './listener.ts';
import { NativeRelay } from './relay.ts';
import { NativeThread } from './thread.ts';

/**
 * The engine in a thread of its own, `native/`. One a process: its services share it.
 *
 * @throws an error with the code `ENGINE_IN_USE` when the process has one, `ENGINE_FAILED` when memory or descriptors are short
 */
export function createNativeEngine(addon: NativeAddon): Engine {
  return new NativeEngine(new NativeThread(addon));
}

class NativeEngine implements Engine {
  readonly name = 'native';
  readonly #thread: NativeThread;

  constructor(thread: NativeThread) {
    this.#thread = thread;
  }

  listener(options: ListenerOptions): Listener {
    return nativeListener(this.#thread, options);
  }

  dial(address: Address, settings: DialSettings, owner: DialOwner): Dial {
    return new NativeDial({ thread: this.#thread, address, settings, owner });
  }

  relay(options: RelayOptions): Relay {
    const { client, candidate } = options;
    if (!(client instanceof NativeClient) || !(candidate instanceof NativeCandidate)) {
      throw new TypeError('a relay ties two sides of its own engine');
    }
    return new NativeRelay({ ...options, client, candidate });
  }
}
