import type { Logger } from 'pino';
import type { AdminActions } from '../admin/admin-routes.ts';
import type { Config } from '../config/config.ts';
import { describeService } from '../config/describe.ts';
import { readLogLevel, type LoadOptions } from '../config/load.ts';
import { quote } from '../config/quote.ts';
import { replaceServices } from '../config/replace-services.ts';
import { ConfigError } from '../core/errors.ts';
import { foundInstead } from '../files/file-fault.ts';
import { readBounded } from '../files/read-file.ts';
import { textOf } from '../files/text.ts';
import type { Ambassador } from './ambassador.ts';
import { faultsOf, type FollowedServices } from './followed-services.ts';
import type { StateChanges } from './state-changes.ts';

/** Where the configuration was read, and what is followed at run time. */
export interface Origins extends Pick<LoadOptions, 'flags' | 'env'> {
  readonly followed: FollowedServices | undefined;
}

export interface ActionParts {
  /** Of the start. */
  readonly config: Config;
  readonly logger: Logger;
  readonly origins: Origins;
  readonly states: StateChanges;
}

/** What can be asked for at `ADMIN_ADDR`. Each that changes something is in the log. */
export function actionsOf(ambassador: Ambassador, { config, logger, origins, states }: ActionParts): AdminActions {
  return {
    quit: () => {
      logger.info('stopping: POST /quit');
      void ambassador.close();
    },
    reload: () => ambassador.reload(),
    services: () => ambassador.services.map((service) => ({ name: service.name, ...describeService(service) })),
    natMap: (service) => ambassador.natMap(service),
    replaceServices: async (json) => {
      try {
        const services = await replaceServices({ ...origins, json, origin: 'services', start: config });
        return { ok: true, ...(await ambassador.replaceServices(services, 'PUT /services')) };
      } catch (error) {
        const faults = faultsOf(error);
        ambassador.rejectServices('PUT /services', faults);
        return { ok: false, faults };
      }
    },
    drain: (candidate, options) => {
      const services = ambassador.drain(candidate, options);
      const what = options.drained ? 'candidate drained' : 'candidate no longer drained';
      if (services.length > 0) logger.info({ candidate, services }, what);
      states.lookSoon();
      return services;
    },
    setLogLevel: (text) => {
      const read = readLogLevel(text);
      if (!read.ok) return { ok: false, fault: read.faults.join(', ') };
      const change = { from: logger.level, to: read.value };
      const wasHeard = logger.isLevelEnabled('info');
      if (wasHeard) logger.info(change, 'log level changed');
      logger.level = read.value;
      if (!wasHeard) logger.info(change, 'log level changed');
      return { ok: true, level: read.value };
    },
  };
}

/** The text of a file that a command names; `-` is stdin. @throws ConfigError when it cannot be read */
export async function textOfFile(path: string): Promise<string> {
  try {
    const { bytes } = await readBounded(path === '-' ? '/dev/stdin' : path, { pipes: 'read' });
    return textOf(bytes);
  } catch (error) {
    const message = `expected the path of a readable file, got ${quote(path)} (${foundInstead(error)})`;
    throw new ConfigError([{ setting: 'apply', message }]);
  }
}
