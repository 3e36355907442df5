/** `,"time":"2026-11-23T12:24:45.` of the second that was asked for last: a line of every connection asks. */
let prefix = '';
let second = -1;

/** The field `time` of a log line, with a comma before it, as pino wants it: ISO 8601, in UTC, to the millisecond. */
export function timestamp(now = Date.now()): string {
  const current = Math.floor(now / 1_000);
  if (current !== second) {
    second = current;
    prefix = `,"time":"${new Date(current * 1_000).toISOString().slice(0, -'000Z'.length)}`;
  }
  const ms = now - current * 1_000;
  return `${prefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`;
}
