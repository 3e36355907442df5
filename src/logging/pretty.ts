import { escapeCharacter } from './clean-line.ts';

// eslint-disable-next-line no-control-regex -- control characters are what is being escaped
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex -- the same but for the newline
const CONTROL_IN_STACK = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Makes JSON log lines readable. Values stay escaped, so that a registry key cannot speak to the terminal; the colours
 * are the only escape sequences in what is returned.
 *
 * @returns a function from one JSON line to the text to print, newline included
 */
export async function prettyPrinter(options: { readonly colors: boolean }): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const print = prettyFactory({
    colorize: options.colors,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['err'],
  });
  return (line) => print(JSON.parse(line, escapeStrings));
}

function escapeStrings(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  // The lines of a stack are indented when printed, so none of them can pass for a log line of its own.
  return value.replace(key === 'stack' ? CONTROL_IN_STACK : CONTROL, escapeCharacter);
}
