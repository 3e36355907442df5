#!/usr/bin/env node
import type { Logger } from 'pino';
import { Ambassador, type Endpoint } from './ambassador.ts';
import type { AdminActions } from './admin/admin-routes.ts';
import { parseCommand, type Command } from './config/command.ts';
import type { Config } from './config/config.ts';
import { describeConfig, describeConfigJson } from './config/describe.ts';
import { helpText } from './config/help.ts';
import { loadAddress, loadConfig, readLogLevel } from './config/load.ts';
import { readVersion } from './config/version.ts';
import { AttacheError, ConfigError } from './core/errors.ts';
import { formatAddress, type Address } from './core/address.ts';
import { isLibraryFault } from './core/library-fault.ts';
import { broadcast } from './core/observer.ts';
import { accessLog } from './logging/access-log.ts';
import { createLogger } from './logging/logger.ts';
import { eventLog } from './logging/observer.ts';
import { Observability } from './observability.ts';

type AskingCommand = Extract<Command, { readonly kind: 'healthcheck' | 'quit' | 'status' | 'connections' | 'wait' }>;

/** sysexits.h where it has a word for it. */
const exitCodes = { clean: 0, cut: 1, unhealthy: 1, unavailable: 69, bug: 70, config: 78 } as const;

process.exitCode = await main(process.argv.slice(2), process.env);
// What is left at this point (a library's socket that is still connecting, say) must not hold the process back.
process.exit();

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const command = parseCommand(argv);
    switch (command.kind) {
      case 'run':
        return await run(loadConfig({ flags: command.flags, env }));
      case 'check': {
        const config = loadConfig({ flags: command.flags, env });
        for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
        process.stdout.write(`${command.json ? describeConfigJson(config) : describeConfig(config)}\n`);
        return exitCodes.clean;
      }
      case 'healthcheck':
      case 'quit':
      case 'status':
      case 'connections':
      case 'wait':
        return await askRunning(command, env);
      case 'help':
        process.stdout.write(helpText());
        return exitCodes.clean;
      case 'version':
        process.stdout.write(`attache ${readVersion()}\n`);
        return exitCodes.clean;
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`attache: the configuration cannot be used\n${error.message}\n`);
    return exitCodes.config;
  }
}

async function run(config: Config): Promise<number> {
  const log = await createLogger({ ...config.log, destination: process.stdout });
  const { logger } = log;
  process.on('exit', () => log.flush());
  for (const warning of config.warnings) logger.warn(warning);
  const observability = new Observability(config, () => performance.now());
  const logs = config.log.access ? [eventLog(logger), accessLog(log)] : [eventLog(logger)];
  const ambassador = new Ambassador(config, {
    observer: broadcast([...logs, ...observability.observers]),
    endpoints: (self) => endpointsOf(self, { config, logger, observability }),
  });
  heedSignals(ambassador, logger);
  surviveLibraries(ambassador, logger);
  const code = await serve(ambassador, logger);
  await log.close();
  return code;
}

async function serve(ambassador: Ambassador, logger: Logger): Promise<number> {
  try {
    await ambassador.start();
  } catch (error) {
    if (!(error instanceof AttacheError)) throw error;
    if (error.code === 'nothing_listening') {
      logger.fatal(error.message);
      return exitCodes.unavailable;
    }
    if (error.code === 'tls_material_invalid' || error.code === 'tls_material_unavailable') {
      logger.fatal(`TLS material cannot be used\n${error.message}`);
      return exitCodes.config;
    }
    // A signal came while it was starting: the close that it asked for is awaited below.
    if (error.code !== 'closed') throw error;
  }
  const { cut } = await ambassador.closed;
  return cut > 0 ? exitCodes.cut : exitCodes.clean;
}

/** The first SIGTERM or SIGINT drains, the second ends at once. SIGHUP never kills. */
function heedSignals(ambassador: Ambassador, logger: Logger): void {
  let asked = false;
  const stop = (signal: NodeJS.Signals) => {
    logger.info({ signal }, asked ? 'stopping at once' : 'stopping');
    void (asked ? ambassador.closeNow() : ambassador.close());
    asked = true;
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.on('SIGHUP', () => {
    logger.info({ signal: 'SIGHUP' }, 'reading TLS material again');
    void ambassador.reload();
  });
}

/** An error that escapes from a library is reported and survived; one that escapes from our own code is a bug. */
function surviveLibraries(ambassador: Ambassador, logger: Logger): void {
  process.on('uncaughtException', (error) => {
    if (isLibraryFault(error)) {
      ambassador.report({ type: 'internal-error', where: 'library', error });
      return;
    }
    logger.fatal({ err: error }, 'a bug in attache: exiting');
    process.exit(exitCodes.bug);
  });
}

interface EndpointParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly observability: Observability;
}

/** The HTTP servers, loaded while the services already begin to listen. */
async function endpointsOf(ambassador: Ambassador, parts: EndpointParts): Promise<readonly Endpoint[]> {
  const { config, logger, observability } = parts;
  const { httpAddress, adminAddress } = config;
  const shared = (server: string, address: Address) => {
    let lastErrno: string | undefined;
    return {
      address,
      onListening: (bound: Address) => logger.info({ server, address: formatAddress(bound) }, 'HTTP server listening'),
      onListenFailed: (errno: string, retryInMs: number) => {
        const fields = { server, address: formatAddress(address), errno, retryInMs: Math.round(retryInMs) };
        // The first failure is news; that it is still so is not.
        if (errno === lastErrno) logger.debug(fields, 'HTTP server not listening');
        else logger.error(fields, 'HTTP server not listening');
        lastErrno = errno;
      },
      onError: (error: unknown) => ambassador.report({ type: 'internal-error', where: `${server} server`, error }),
    };
  };
  const http = httpAddress && observability.httpServer(ambassador, shared('health', httpAddress));
  const admin =
    adminAddress &&
    import('./admin/server.ts').then(({ adminServer }) =>
      adminServer({ ...shared('admin', adminAddress), actions: actionsOf(ambassador, logger) }),
    );
  return Promise.all([http, admin].filter((server) => server !== undefined));
}

/** What can be asked for at `ADMIN_ADDR`. Each that changes something is in the log. */
function actionsOf(ambassador: Ambassador, logger: Logger): AdminActions {
  return {
    quit: () => {
      logger.info('stopping, as asked for at ADMIN_ADDR');
      void ambassador.close();
    },
    reload: () => ambassador.reload(),
    drain: (candidate, options) => {
      const services = ambassador.drain(candidate, options);
      const what = options.drained ? 'candidate drained' : 'candidate no longer drained';
      if (services.length > 0) logger.info({ candidate, services }, what);
      return services;
    },
    setLogLevel: (text) => {
      const read = readLogLevel(text);
      if (!read.ok) return { ok: false, fault: read.faults.join(', ') };
      const change = { from: logger.level, to: read.value };
      const wasHeard = logger.isLevelEnabled('info');
      if (wasHeard) logger.info(change, 'log level');
      logger.level = read.value;
      if (!wasHeard) logger.info(change, 'log level');
      return { ok: true, level: read.value };
    },
  };
}

/** Commands that ask an attache that runs. */
async function askRunning(command: AskingCommand, env: NodeJS.ProcessEnv): Promise<number> {
  const name = command.kind === 'quit' ? 'ADMIN_ADDR' : 'HTTP_ADDR';
  const address = loadAddress(name, { flags: command.flags, env });
  if (address === undefined) {
    process.stderr.write(`attache: ${name}: expected an address to ask, got off\n`);
    return exitCodes.config;
  }
  // Whoever reads may leave early (`attache status | head`): that is no fault.
  process.stdout.on('error', () => process.exit(exitCodes.clean));
  const commands = await import('./admin/commands.ts');
  switch (command.kind) {
    case 'healthcheck':
      return say(await commands.healthCommand(address));
    case 'quit':
      return say(await commands.quitCommand(address));
    case 'connections':
      return say(await commands.connectionsCommand(address, command.id));
    case 'wait':
      return say(await commands.waitCommand(address, command));
    case 'status':
      if (!command.watch) return say(await commands.statusCommand(address));
      return await commands.watchStatus(address, {
        isTerminal: process.stdout.isTTY,
        write: (text) => process.stdout.write(text),
      });
  }
}

function say({ ok, text }: { readonly ok: boolean; readonly text: string }): number {
  (ok ? process.stdout : process.stderr).write(`${text}\n`);
  return ok ? exitCodes.clean : exitCodes.unhealthy;
}
