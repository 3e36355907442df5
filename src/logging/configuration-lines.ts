import type { Logger } from 'pino';
import type { ConfigurationEvent, ServicesKeyEvent } from '../core/observer.ts';
import { shorten } from './serialize-error.ts';

const MAX_NAMES = 20;
const MAX_FAULTS = 10;

/** Another list of services, or how the key of `SERVICES_KEY` stands, as a line. */
export function writeConfiguration(logger: Logger, event: ConfigurationEvent | ServicesKeyEvent): void {
  if (event.type === 'services-key') {
    writeServicesKey(logger, event);
    return;
  }
  const { source, outcome, faults } = event;
  if (outcome === 'rejected') {
    const shown = faults.slice(0, MAX_FAULTS).map((fault) => shorten(fault));
    logger.error({ source, faults: shown }, 'services rejected: the services of before stay; correct the faults');
    return;
  }
  const [added, changed, removed] = [event.added, event.changed, event.removed].map((all) => all.slice(0, MAX_NAMES));
  const { revision } = event;
  logger.info({ source, ...(revision && { revision }), added, changed, removed }, 'services changed');
}

function writeServicesKey(logger: Logger, { key, phase, error }: ServicesKeyEvent): void {
  const fields = { key, ...(error !== undefined && { error: shorten(error) }) };
  switch (phase) {
    case 'synced':
      logger.info(fields, 'the registry has the key of SERVICES_KEY');
      return;
    case 'missing':
      logger.warn(
        fields,
        'the registry has no such key: the services of before stay; put the key, or [] for no service',
      );
      return;
    case 'starting':
    case 'stale':
      logger.warn(fields, 'the registry does not tell the services: those of before stay');
  }
}
