import { accept, expected, refuse, type Kind } from './kind.ts';

const FORM = /^0?[0-7]{3}$/;
/** The owner is attache itself, which asks its own socket whether it is alive. */
const USABLE = /^0?[67]/;

/** The mode of a Unix socket's file: three octal digits, with or without a zero in front. */
export const socketMode: Kind<number, number | string> = {
  label: 'octal mode',
  form: 'mode',
  format: formatMode,
  parse(text) {
    if (FORM.test(text) && USABLE.test(text)) return accept(Number.parseInt(text, 8));
    const what = FORM.test(text)
      ? 'a mode with which the owner may read and write, 0600 to 0777'
      : 'an octal mode such as 0660, 0600 to 0777';
    const meant = Number(text).toString(8);
    const isOfYaml = /^\d{3}$/.test(text) && FORM.test(meant) && USABLE.test(meant);
    return refuse(`${expected(what, text)}${isOfYaml ? `; YAML makes ${text} of 0${meant}: put it into quotes` : ''}`);
  },
};

/** As it is typed: 0o660 is `0660`. */
export function formatMode(mode: number): string {
  return `0${mode.toString(8)}`;
}
