import type { Peer, PeerName } from './peer.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { socat } from './socat.ts';
import { stunnel } from './stunnel.ts';

export const all: Readonly<Record<PeerName, () => Peer>> = { haproxy, nginx, socat, stunnel };
