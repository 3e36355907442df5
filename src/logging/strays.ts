import { format } from 'node:util';
import type { Logger } from 'pino';
import { LineLimit } from './line-limit.ts';

/**
 * What libraries print and what Node warns of become lines of the log. Both would go to standard error, and where that is a
 * terminal or a file, the whole process would wait for its reader.
 */
export function gatherStrays(logger: Logger): void {
  const limit = new LineLimit({ lines: 20, windowMs: 10_000 });
  const say = (kind: string, fields: object) => {
    const suppressed = limit.admit(kind);
    if (suppressed !== undefined) logger.warn({ ...fields, ...(suppressed > 0 && { suppressed }) }, kind);
  };
  for (const method of ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const) {
    console[method] = (...said: unknown[]) => say('printed by a library', { method, said: format(...said) });
  }
  // Node's own listener is the one that writes to standard error.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => say('warning of Node', { name, said: message }));
}
