/** A page that users read. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

export interface ProseFault {
  readonly page: string;
  readonly sentence: string;
  /** What is wrong with it. */
  readonly fault: string;
}

/** A sentence of more words has to be read twice. */
export const MAX_WORDS = 40;

/** Phrases that make a reader stop, each with what to write in its place. */
const BANNED: readonly (readonly [phrase: RegExp, remedy: string])[] = [
  [/\bwhoever\b/i, 'name the person or program'],
  [/\b(?:comes?|came|coming) to\b/i, 'say what happens'],
  [/\bof it\b/i, 'repeat the noun'],
  [/\bwhat (?:is|was|are|were) [^,;:]{1,60}? (?:is|was|are|were)\b/i, 'name the thing'],
  [/\bgive or take\b/i, 'write ±'],
  [/\b(?:is|are) none\b/i, 'say "is not"'],
  [/\bset aside\b/i, 'say ejected'],
  [/\b(?:bare|suffixed) words?\b|\bwords of (?:a|the) (?:service|process)\b/i, 'say setting'],
  [/\bdiscovery backend\b/i, 'say registry'],
];

/** Sentences that stay although they break a rule, by a part of them. */
const ALLOWED: readonly string[] = [
  // Messages of the program, one after the other, in the table of values.
  ', got "',
];

/** The sentences of a page that break the rules of the house for prose. */
export function proseFaults({ name, text }: Page): readonly ProseFault[] {
  return sentencesOf(text)
    .filter((sentence) => !ALLOWED.some((part) => sentence.includes(part)))
    .flatMap((sentence) => {
      const words = sentence.split(/\s+/).filter((word) => /\w/.test(word)).length;
      const banned = BANNED.filter(([phrase]) => phrase.test(sentence)).map(
        ([phrase, remedy]) => `"${phrase.exec(sentence)?.[0] ?? ''}": ${remedy}`,
      );
      const long = words > MAX_WORDS ? [`${words} words, at most ${MAX_WORDS}: make two sentences`] : [];
      return [...long, ...banned].map((fault) => ({ page: name, sentence, fault }));
    });
}

/** Of Markdown: what stands in code is no prose, each cell of a table and each item of a list stands by itself. */
export function sentencesOf(text: string): readonly string[] {
  const prose = text
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '\n')
    .replaceAll(/<!--[\s\S]*?-->/g, '\n')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`[^`]*`/g, 'X');
  return blocksOf(prose)
    .flatMap((block) => block.split(/(?<=[.!?])["')*_]*\s+(?=["'(*_]*[\p{Lu}\d]|attache\b)/u))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

function blocksOf(prose: string): readonly string[] {
  const blocks: string[] = [];
  let open = false;
  for (const line of prose.split('\n')) {
    if (line.startsWith('|')) {
      blocks.push(...line.split(/(?<!\\)\|/).filter((cell) => !/^[\s:-]*$/.test(cell)));
      open = false;
    } else if (line.trim() === '' || line.startsWith('#')) {
      open = false;
    } else if (open && !/^\s*(?:[-*]|\d+\.) /.test(line)) {
      blocks.push(`${blocks.pop() ?? ''} ${line}`);
    } else {
      blocks.push(line.replace(/^\s*(?:[-*]|\d+\.) /, ''));
      open = true;
    }
  }
  return blocks;
}
