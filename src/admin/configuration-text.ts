import type { ConfigurationStatus, FollowedKeyStatus, RegistrationStatus } from '../core/status.ts';
import { visible } from '../core/visible.ts';

const MAX_CHANGED = 5;

/** `SERVICES_KEY /attache/web, revision 12`: where the services in force come from. */
export function placeText({ source, revision, followed }: ConfigurationStatus): string {
  const place = source === 'SERVICES_KEY' && followed !== undefined ? `${source} ${visible(followed.key)}` : source;
  return revision === undefined ? place : `${place}, revision ${visible(revision)}`;
}

/** `+a ~b -c`: what the last list did; empty: nothing. */
export function changesText({ added = [], changed = [], removed = [] }: ConfigurationStatus): string {
  const list = (sign: string, names: readonly string[]) => [
    ...names.slice(0, MAX_CHANGED).map((name) => `${sign}${visible(name)}`),
    ...(names.length > MAX_CHANGED ? [`${sign}(${names.length - MAX_CHANGED} more)`] : []),
  ];
  return [...list('+', added), ...list('~', changed), ...list('-', removed)].join(' ');
}

/** What is wrong with the key of SERVICES_KEY; undefined: nothing. */
export function keyTrouble(followed: FollowedKeyStatus | undefined): string | undefined {
  if (followed === undefined || followed.phase === 'synced') return undefined;
  const { key, phase, error } = followed;
  const texts = {
    missing: 'the registry has no such key: the services of before stay',
    starting: 'the registry has not told it yet',
    stale: 'the registry does not answer: the services of before stay',
  };
  return `SERVICES_KEY ${visible(key)}: ${texts[phase]}${error === undefined ? '' : ` (${visible(error)})`}`;
}

/** How a service stands in a directory, in words. */
export const registrationTexts: Readonly<Record<RegistrationStatus['phase'], string>> = {
  withdrawn: 'not registered, as it does not serve',
  waiting: 'not registered yet',
  registered: 'registered',
  conflict: 'NOT REGISTERED: another process holds the key',
  removed: 'not registered: somebody deleted the key',
};
