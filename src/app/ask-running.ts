import { isatty } from 'node:tty';
import type { AskingCommand } from '../config/command.ts';
import { loadAddress, type AskedAddress } from '../config/load.ts';
import { print } from '../logging/print.ts';
import { exitCodes } from './exit-codes.ts';
import { textOfFile } from './operator-actions.ts';

/** Runs a command that asks a running attache. @returns the exit code */
export async function askRunning(command: AskingCommand, env: NodeJS.ProcessEnv): Promise<number> {
  const { flags } = command;
  const load = (asked: AskedAddress) => loadAddress(asked, { flags, env });
  const name = ORDERS.includes(command.kind) ? 'ADMIN_ADDR' : 'HTTP_ADDR';
  const isProbe = command.kind === 'healthcheck' || command.kind === 'wait';
  const address = (isProbe ? load('PROBE_ADDR') : undefined) ?? load(name);
  if (address === undefined) {
    await print(2, `attache: ${name}: expected an address to ask, got off\n`);
    return exitCodes.config;
  }
  const commands = await import('../admin/commands.ts');
  switch (command.kind) {
    case 'healthcheck':
      return say(await commands.healthCommand(address));
    case 'quit':
      return say(await commands.quitCommand(address));
    case 'connections':
      return say(await commands.connectionsCommand(address, command));
    case 'drain':
    case 'undrain':
      return say(await commands.drainCommand(address, command));
    case 'loglevel':
      return say(await commands.logLevelCommand(address, command.level));
    case 'reload':
      return say(await commands.reloadCommand(address));
    case 'apply':
      return say(await commands.applyCommand(address, await textOfFile(command.file)));
    case 'wait':
      return say(await commands.waitCommand(address, command));
    case 'status':
      if (!command.watch) return say(await commands.statusCommand(address, command));
      // The reader may leave early (`attache status --watch | head`): that is no fault.
      await commands.watchStatus(address, { isTerminal: isatty(1), write: (text) => print(1, text) });
      return exitCodes.clean;
  }
}

/** Commands that change something: they go to `ADMIN_ADDR`. */
const ORDERS: readonly AskingCommand['kind'][] = ['quit', 'drain', 'undrain', 'loglevel', 'reload', 'apply'];

async function say({
  ok,
  text,
  isBadNews = false,
}: {
  readonly ok: boolean;
  readonly text: string;
  readonly isBadNews?: boolean;
}): Promise<number> {
  await print(ok ? 1 : 2, `${text}\n`);
  return ok && !isBadNews ? exitCodes.clean : exitCodes.unhealthy;
}
