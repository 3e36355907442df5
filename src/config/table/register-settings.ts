import { duration } from './plain-kinds.ts';
import { priority, registerAddress, registerDirectories, weight, zone } from './register-kinds.ts';
import type { ServiceField, SettingTable } from './setting-spec.ts';

/** How a service registers itself: rows of the table of services. */
export const registerSettings = {
  /**
   * Directories of the registry in which the service registers itself, e.g. `/srv/redis/debug`, while its first candidate is
   * healthy; default: none.
   */
  REGISTER: {
    field: 'register.directories',
    kind: registerDirectories,
    meaning:
      'Directories of the registry, such as /srv/redis/debug, in which the service stands while its first candidate is healthy. A service with REGISTER may have no SRC',
  },
  /** What others are to dial: `10.0.1.134:6379` or `:6379`; default: the own address towards the registry, with the port of `src`. */
  REGISTER_ADDRESS: {
    field: 'register.address',
    kind: registerAddress,
    meaning:
      'For REGISTER: what others dial, host:port or :port. Without it: the own address on the route to the registry, and the port of SRC, or of DST without SRC',
  },
  /** How long a registration outlives this process, whole seconds; default 10 s. */
  REGISTER_TTL: {
    field: 'register.ttlMs',
    kind: duration,
    default: '10s',
    meaning: 'For REGISTER: how long a registration outlives a process that was killed, in whole seconds',
  },
  /** The share of traffic beside other members; default: none is written, which counts as 1. */
  REGISTER_WEIGHT: {
    field: 'register.weight',
    kind: weight,
    meaning: 'For REGISTER: the share of traffic beside other members. 0: no new connections',
  },
  /** Lower ones are used first; default: none is written, which counts as 0. */
  REGISTER_PRIORITY: {
    field: 'register.priority',
    kind: priority,
    meaning: 'For REGISTER: members of a lower number are used first',
  },
  /** The zone that is shown to people; default: none. */
  REGISTER_ZONE: {
    field: 'register.zone',
    kind: zone,
    meaning: 'For REGISTER: the zone that others see, such as eu-west-1a',
  },
  /** How long the first candidate has to be healthy before it is registered; default 0. */
  REGISTER_DELAY: {
    field: 'register.delayMs',
    kind: duration,
    default: '0',
    meaning: 'For REGISTER: how long the first candidate has to be healthy first',
  },
} as const satisfies SettingTable<ServiceField>;
