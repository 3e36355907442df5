import type { Logger } from 'pino';
import type { CandidateHealthEvent, RegistrationEvent, RoleSplitEvent } from '../core/observer.ts';
import { shorten } from './serialize-error.ts';

const MAX_CANDIDATES = 20;

/** Events of one kind share one limit of lines. */
export function kindOf(event: CandidateHealthEvent | RegistrationEvent | RoleSplitEvent): string {
  if (event.type === 'role-split') return 'split';
  return event.type === 'registration' ? `registration ${event.phase}` : event.state;
}

/** Writes one line about health, roles or a registration. @param counted how many lines of the same kind were left out */
export function writeHealth(
  logger: Logger,
  event: CandidateHealthEvent | RegistrationEvent | RoleSplitEvent,
  counted: { readonly suppressed?: number },
): void {
  if (event.type === 'registration') {
    writeRegistration(logger, event, counted);
    return;
  }
  if (event.type === 'role-split') {
    const { service, phase, candidates, kept } = event;
    const fields = { service, candidates: candidates.slice(0, MAX_CANDIDATES), kept, ...counted };
    if (phase === 'ended') logger.info({ service, kept, ...counted }, 'one candidate at most has the role again');
    else logger.warn(fields, 'several candidates have a role that only one can have; ask them, and demote the others');
    return;
  }
  const { service, candidate, state, before, error, ms } = event;
  const why = error === undefined ? {} : { error: shorten(error) };
  const fields = { service, candidate, before, ...why, ms: Math.round(ms), ...counted };
  if (state === 'healthy') logger.info(fields, 'candidate healthy');
  else logger.warn(fields, 'candidate unhealthy');
}

/** Writes the state of a registration. @param counted how many lines of the same kind were left out */
function writeRegistration(
  logger: Logger,
  { service, key, phase, error }: RegistrationEvent,
  counted: { readonly suppressed?: number },
): void {
  const fields = { service, key, ...(error === undefined ? {} : { error: shorten(error) }), ...counted };
  switch (phase) {
    case 'registered':
      logger.info(fields, 'registered');
      return;
    case 'withdrawn':
      logger.info(fields, 'registration withdrawn');
      return;
    case 'waiting':
      if (error === undefined) logger.debug(fields, 'registering');
      else logger.warn(fields, 'not registered: trying again');
      return;
    case 'conflict':
      logger.error(fields, 'not registered: another process holds the key; give each its own REGISTER_ADDRESS');
      return;
    case 'removed':
      logger.warn(fields, 'not registered: somebody deleted the key; it is put back after REGISTER_TTL');
  }
}
