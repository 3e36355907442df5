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
import { SocketDial } from './dial.ts';
import { socketListener } from './listener.ts';
import { StreamRelay } from './relay.ts';

/** The engine on Node's sockets. */
export function nodeEngine(): Engine & CheckEngine {
  return new NodeEngine();
}

class NodeEngine implements Engine, CheckEngine {
  readonly name = 'typescript';

  listener(options: ListenerOptions): Listener {
    return socketListener(options);
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
