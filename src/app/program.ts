import { constants } from 'node:os';
import { inspect } from 'node:util';
import type { Logger } from 'pino';
import { Ambassador } from './ambassador.ts';
import { parseCommand } from '../config/command.ts';
import { commandHelp, commandNames, commandRow } from '../config/commands.ts';
import { completionScript } from '../config/completion.ts';
import type { Config } from '../config/config.ts';
import { helpText } from '../config/help.ts';
import { servicesFile } from '../config/load.ts';
import { readConfig } from '../config/read-config.ts';
import { readVersion } from '../config/version.ts';
import { AttacheError, ConfigError } from '../core/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { FollowedServices } from './followed-services.ts';
import { serversOf } from './http-servers.ts';
import type { Origins } from './operator-actions.ts';
import { servicesKey } from './services-key.ts';
import { isLibraryFault } from '../core/library-fault.ts';
import { broadcast } from '../core/observer.ts';
import type { EngineStatus } from '../core/status.ts';
import { accessLog } from '../logging/access-log.ts';
import { leave } from './leave.ts';
import { createLogger, type Log } from '../logging/logger.ts';
import { eventLog } from '../logging/observer.ts';
import { openOutlet } from '../logging/open-outlet.ts';
import { print } from '../logging/print.ts';
import { gatherStrays } from '../logging/strays.ts';
import { systemResolver } from '../names/system-resolver.ts';
import { Observability } from './observability.ts';
import { StateChanges } from './state-changes.ts';
import { chooseEngine, engineStatus, tellOfFaults } from '../transport/choose-engine.ts';

/** For an error that belongs to no connection. The settings for what differs from machine to machine come first. */
const REMEDY = 'Report this line. If it happens again, set ENGINE=typescript, then HTTP_ADDR=off and ADMIN_ADDR=off';

/** What a signal leads to. */
export type OnSignal = (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP') => void;

/** How long somebody who did not ask for it is waited for, so that he reads why the process ends. */
const LAST_WORDS_MS = 200;

/**
 * Does what a command line says, and ends the process with its outcome. Whatever is left then (a library's socket that is
 * still connecting, say) does not hold it back.
 *
 * @param heed replaces what signals lead to
 */
export async function program(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  heed: (onSignal: OnSignal) => void,
): Promise<never> {
  process.on('uncaughtException', confessUncaught);
  try {
    return await leave(await obey(argv, env, heed));
  } catch (error) {
    if (!(error instanceof ConfigError)) return await confess(error);
    await print(2, `attache: ${whatIsFaulty(argv)} cannot be used\n${error.message}\n`, LAST_WORDS_MS);
    return await leave(exitCodes.config);
  }
}

/** Of a command that asks another attache nothing is configured. */
function whatIsFaulty([first]: readonly string[]): string {
  if (first === undefined || first.startsWith('-')) return 'the configuration';
  const name = commandNames.find((known) => known === first);
  return name !== undefined && commandRow(name).configures === true ? 'the configuration' : 'the command line';
}

function confessUncaught(error: unknown): void {
  void confess(error);
}

/** A bug, while there is no log. Node would tell it, too, but wait for its reader. */
async function confess(error: unknown): Promise<never> {
  await print(2, `attache: a bug in attache: exiting\n${inspect(error)}\n`, LAST_WORDS_MS);
  return await leave(exitCodes.bug);
}

async function obey(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  heed: (onSignal: OnSignal) => void,
): Promise<number> {
  const command = parseCommand(argv);
  if (command.kind === 'run') {
    heed((signal) => {
      if (signal !== 'SIGHUP') void leave(exitCodes.clean);
    });
    const places = { flags: command.flags, env };
    const path = servicesFile(places);
    const read = async () => (await readConfig(places)).services;
    const followed = path === undefined ? undefined : new FollowedServices({ path, read });
    await followed?.note();
    return await run(await readConfig(places), heed, { ...places, followed });
  }
  // A command that is broken off has not said what it was asked.
  heed((signal) => void leave(128 + constants.signals[signal]));
  switch (command.kind) {
    case 'check': {
      const { checkCommand } = await import('./check-command.ts');
      return (await checkCommand(command, env)) ? exitCodes.clean : exitCodes.unhealthy;
    }
    case 'healthcheck':
    case 'quit':
    case 'status':
    case 'connections':
    case 'wait':
    case 'drain':
    case 'undrain':
    case 'loglevel':
    case 'reload':
    case 'apply': {
      const { askRunning } = await import('./ask-running.ts');
      return await askRunning(command, env);
    }
    case 'help':
      await print(1, command.of === undefined ? helpText() : `${commandHelp(command.of)}\n`);
      return exitCodes.clean;
    case 'completion':
      await print(1, completionScript(command.shell));
      return exitCodes.clean;
    case 'version':
      await print(1, `attache ${readVersion()}\n${engineText(engineStatus())}\n`);
      return exitCodes.clean;
  }
}

async function run(config: Config, heed: (onSignal: OnSignal) => void, origins: Origins): Promise<number> {
  const log = await createLogger({ ...config.log, destination: openOutlet(1) });
  const { logger } = log;
  gatherStrays(logger);
  process.on('exit', () => log.flush());
  tellOfStart(config, logger);
  for (const warning of config.warnings) logger.warn(warning);
  const observability = new Observability(config, {
    uptimeMs: () => performance.now(),
    droppedLogLines: () => log.droppedLines,
  });
  const logs = config.log.access ? [eventLog(logger), accessLog(log)] : [eventLog(logger)];
  const resolver = systemResolver();
  const states = new StateChanges(logger);
  const observer = broadcast([...logs, states.observer, ...observability.observers]);
  const key = servicesKey(config, { resolver, observer, origins });
  const ambassador = new Ambassador(config, {
    resolver,
    observer,
    extensions: async (self) => [
      ...(origins.followed === undefined ? [] : [origins.followed.extension(self)]),
      ...(key === undefined ? [] : [key.extension(self)]),
      ...(await serversOf(self, { config, logger, observability, resolver, states, origins })),
    ],
  });
  states.follow(() => ambassador.status.services);
  heed(signalsOf(ambassador, logger));
  surviveLibraries(ambassador, log);
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
function signalsOf(ambassador: Ambassador, logger: Logger): OnSignal {
  let asked = false;
  return (signal) => {
    if (signal === 'SIGHUP') {
      logger.info({ signal }, 'reading TLS material again');
      void ambassador.reload();
      return;
    }
    logger.info({ signal }, asked ? 'stopping at once' : 'stopping');
    void (asked ? ambassador.closeNow() : ambassador.close());
    asked = true;
  };
}

/** The first line: what runs. */
function tellOfStart(config: Config, logger: Logger): void {
  const { name: engine, reason } = chooseEngine(config.engine).status;
  if (engine === 'native') tellOfFaults();
  const line = { version: readVersion(), node: process.version, engine, ...(reason !== undefined && { reason }) };
  // It is not what was asked for.
  if (config.engine === 'native' && engine !== 'native')
    logger.warn(line, 'starting without the native engine: it cannot be used here');
  else logger.info(line, 'starting');
}

function engineText({ name, reason }: EngineStatus): string {
  return `engine ${name}${reason === undefined ? '' : ` (no native engine: ${reason})`}`;
}

/**
 * An error that escapes from a library is reported and survived. One that escapes from our own code, and belongs to no connection, is a bug.
 */
function surviveLibraries(ambassador: Ambassador, log: Log): void {
  const { logger } = log;
  const engine = ambassador.status.engine?.name;
  process.off('uncaughtException', confessUncaught).on('uncaughtException', (error) => {
    if (isLibraryFault(error)) {
      ambassador.report({ type: 'internal-error', where: 'library', error });
      return;
    }
    logger.fatal({ err: error, engine, remedy: REMEDY }, 'a bug in attache: exiting');
    void log.close(LAST_WORDS_MS).then(() => leave(exitCodes.bug));
  });
}
