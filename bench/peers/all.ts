import type { Peer } from './peer.ts';
import type { PeerName } from '../names.ts';
import { attacheTypescript, type AttachePaths } from './attache.ts';
import { go } from './go.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { socat } from './socat.ts';
import { stunnel } from './stunnel.ts';

/** Each takes the folder of the project, and how attache is run. */
export const all: Readonly<Record<PeerName, (project: string, paths: AttachePaths) => Peer>> = {
  'attache-typescript': (_, paths) => attacheTypescript(paths),
  haproxy,
  nginx,
  go,
  socat,
  stunnel,
};
