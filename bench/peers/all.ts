import type { Peer, PeerName } from './peer.ts';
import { go } from './go.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { socat } from './socat.ts';
import { stunnel } from './stunnel.ts';

/** Each takes the folder of the project. */
export const all: Readonly<Record<PeerName, (project: string) => Peer>> = { haproxy, nginx, go, socat, stunnel };
