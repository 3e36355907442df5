import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../src/logging/logger.ts';
import { openOutlet } from '../../src/logging/open-outlet.ts';

/** A process that logs to its standard output; its first argument says how it ends. */
const mode = process.argv[2];
const lines = Number(process.argv[3]);
const log = await createLogger({ level: 'info', format: 'json', destination: openOutlet(1) });
const payload = 'x'.repeat(200);
const say = (count: number) => {
  for (let i = 0; i < count; i += 1) log.logger.info({ i, payload }, 'line');
};

if (mode === 'natural') {
  say(lines);
  process.stderr.write('said\n');
} else if (mode === 'close') {
  say(lines);
  process.stderr.write('said\n');
  await log.close();
  process.exit(0);
} else if (mode === 'sigterm') {
  process.once('SIGTERM', () => {
    say(lines);
    void log.close().then(() => process.exit(0));
  });
  setInterval(() => undefined, 1_000);
  process.stderr.write('ready\n');
} else if (mode === 'crash') {
  process.on('exit', () => log.flush());
  process.on('uncaughtException', (error) => {
    log.logger.fatal({ err: error }, 'uncaught');
    process.exit(70);
  });
  say(lines);
  setImmediate(() => {
    throw new Error('on purpose');
  });
} else if (mode === 'stopped') {
  // Its reader goes on when the file is there that the last argument names.
  for (let said = 0; said < lines; said += 1_000) {
    say(1_000);
    await sleep(1);
  }
  writeFileSync(process.argv[4] ?? '', '');
  await log.close(20_000);
  process.exit(0);
} else {
  // 'on-and-on': logs whatever happens to its reader, and tells on stderr that it lives.
  for (let turn = 0; turn < 20; turn += 1) {
    say(lines);
    await sleep(5);
  }
  process.stderr.write(`alive rss=${String(process.memoryUsage().rss)}\n`);
  await log.close();
  process.stderr.write('closed\n');
  process.exit(0);
}
