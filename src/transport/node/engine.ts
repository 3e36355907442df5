import type { Address } from '../../core/address.ts';
import type {
  CheckEngine,
  Dial,
  DialOwner,
  DialSettings,
  Engine,
  Listener,
  ListenerOptions,
  Relay,
  RelayOptions,
} from '../engine.ts';
import { AcceptedClient } from './accepted-client.ts';
import { ConnectedCandidate } from './connected-candidate.ts';
import { SocketDial } from './dialer.ts';
import { socketListener, type DirectIo } from './listener.ts';
import { StreamRelay } from './relay.ts';

/**
 * The engine on Node's sockets.
 *
 * @param directIo whether accepted sockets read into buffers of ours; default: `auto`
 */
export function nodeEngine(directIo: DirectIo = 'auto'): Engine & CheckEngine {
  return new NodeEngine(directIo);
}

class NodeEngine implements Engine, CheckEngine {
  readonly name = 'typescript';
  readonly #directIo: DirectIo;

  constructor(directIo: DirectIo) {
    this.#directIo = directIo;
  }

  listener(options: ListenerOptions): Listener {
    return socketListener(options, this.#directIo);
  }

  dial(address: Address, settings: DialSettings, owner: DialOwner): Dial {
    return new SocketDial(address, settings, owner);
  }

  relay(options: RelayOptions): Relay {
    const { client, candidate } = options;
    if (!(client instanceof AcceptedClient) || !(candidate instanceof ConnectedCandidate)) {
      throw new TypeError('a relay ties two sides of its own engine');
    }
    candidate.leg.connection = client;
    return new StreamRelay({ ...options, client: client.leg, candidate: candidate.leg });
  }
}
