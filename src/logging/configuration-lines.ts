import type { Logger } from 'pino';
import type { ConfigurationEvent } from '../core/observer.ts';
import { shorten } from './serialize-error.ts';

const MAX_NAMES = 20;
const MAX_FAULTS = 10;

/** Another list of services, as a line. */
export function writeConfiguration(logger: Logger, event: ConfigurationEvent): void {
  const { source, outcome, faults } = event;
  if (outcome === 'rejected') {
    const shown = faults.slice(0, MAX_FAULTS).map((fault) => shorten(fault));
    logger.error({ source, faults: shown }, 'services rejected: the services of before stay; correct the faults');
    return;
  }
  const [added, changed, removed] = [event.added, event.changed, event.removed].map((all) => all.slice(0, MAX_NAMES));
  logger.info({ source, added, changed, removed }, 'services changed');
}
