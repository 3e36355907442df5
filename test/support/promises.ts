/** One promise of `test/PROMISES.md`. */
export interface KeptPromise {
  readonly number: number;
  readonly parts: readonly PromisePart[];
}

/** One thing that a promise says, with what proves it. */
export interface PromisePart {
  readonly what: string;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
  /** Sources that were broken to see the tests fail, and how. */
  readonly broken: readonly { readonly file: string; readonly how: string }[];
}

const HEADING = /^## (\d+)\. .+$/;
const PART = /^- (.+)$/;
const TEST = /^ {2}- test: `([^`]+)` (`+)( ?)(.+)\3\2$/;
const BROKEN = /^ {2}- broken: `([^`]+)`: (.+)$/;

/**
 * Reads the page.
 *
 * @throws Error at a line that is neither text nor of the form that the page has
 */
export function readPromises(page: string): readonly KeptPromise[] {
  const promises: { number: number; parts: { what: string; tests: Proof[]; broken: Fault[] }[] }[] = [];
  for (const [index, line] of page.split('\n').entries()) {
    const [, number] = HEADING.exec(line) ?? [];
    const [, what] = PART.exec(line) ?? [];
    const [, testFile, , , name] = TEST.exec(line) ?? [];
    const [, source, how] = BROKEN.exec(line) ?? [];
    const part = promises.at(-1)?.parts.at(-1);
    if (number !== undefined) promises.push({ number: Number(number), parts: [] });
    else if (what !== undefined) promises.at(-1)?.parts.push({ what, tests: [], broken: [] });
    else if (testFile !== undefined && name !== undefined) part?.tests.push({ file: testFile, name });
    else if (source !== undefined && how !== undefined) part?.broken.push({ file: source, how });
    else if (/^\s+\S|^#{2,}/.test(line)) throw new Error(`line ${index + 1} is not understood: ${line}`);
  }
  return promises;
}

type Proof = PromisePart['tests'][number];
type Fault = PromisePart['broken'][number];

/**
 * What is wrong with the page: a part without a proof, a test or a source that is not there (any more).
 *
 * @param read the text of a file of the project; undefined when it is not there
 */
export function problemsOf(page: string, read: (path: string) => string | undefined): readonly string[] {
  const problems: string[] = [];
  for (const { number, parts } of readPromises(page)) {
    if (parts.length === 0) problems.push(`${number}: no part of it is proved`);
    for (const { what, tests, broken } of parts) {
      const about = `${number}, ${what}`;
      if (tests.length === 0) problems.push(`${about}: no test`);
      if (broken.length === 0) problems.push(`${about}: not seen failing`);
      for (const { file, name } of tests) {
        const source = file.endsWith('.test.ts') ? read(file) : undefined;
        if (source === undefined) problems.push(`${about}: there is no ${file}`);
        else if (!testNames(source).includes(name)) problems.push(`${about}: ${file} has no test "${name}"`);
      }
      for (const { file } of broken) if (read(file) === undefined) problems.push(`${about}: there is no ${file}`);
    }
  }
  return problems;
}

/** Names of the tests in a source, as they are written there: `${...}` of a template is left as it is. */
export function testNames(source: string): readonly string[] {
  return [...source.matchAll(NAMED_TEST)].map(([, , name = '']) => name.replace(/\\(['"\\])/g, '$1'));
}

/** A name may hold its own quotes inside of `${...}`. */
const NAMED_TEST = /\btest\(\s*(['"`])((?:\\[^]|\$\{(?:[^{}`]|`[^`]*`)*\}|(?!\1)[^\\])*)\1\s*,/g;
