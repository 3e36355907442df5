import type { Word } from '../../src/config/word.ts';
import { flagOf, isDefault, keyOf, words } from '../../src/config/words.ts';
import { samples } from './kind-samples.ts';
import { code, markdownTable } from './markdown.ts';

/** Every word and every kind of value, from the table that the program itself reads. */
export function configurationReference(): string {
  return [
    '## Words of a service',
    'Each service has its own. A bare word is the default of every service; `SRC`, `DST` and `SRV` declare one.',
    serviceTable(words.filter(({ scope }) => scope === 'service')),
    '## Words of the process',
    'There is one of each.',
    processTable(words.filter(({ scope }) => scope === 'process')),
    '## Other names',
    'They mean the same. Two names of one word with different values are refused.',
    otherNames(),
    '## Values',
    'What is accepted, and what the program says of what is not.',
    kindTable(),
  ].join('\n\n');
}

function serviceTable(rows: readonly Word[]): string {
  return markdownTable(
    ['variable', 'flag', 'key in `SERVICES`', 'value', 'default', 'meaning'],
    rows.map((word) => [
      code(word.name),
      flag(word),
      code(keyOf(word.name)),
      kind(word),
      byDefault(word),
      word.meaning,
    ]),
  );
}

function processTable(rows: readonly Word[]): string {
  return markdownTable(
    ['variable', 'flag', 'value', 'default', 'meaning'],
    rows.map((word) => [code(word.name), flag(word), kind(word), byDefault(word), word.meaning]),
  );
}

function otherNames(): string {
  const rows = words.flatMap((word) => {
    const variables = [...(word.aliases ?? []), ...(word.kind.form === 'secret' ? [`${word.name}_FILE`] : [])];
    const spellings = word.spellings ?? [];
    const flags = [
      ...spellings.map((s) => `--${s}`),
      ...(word.kind.form === 'secret' ? [`--${flagOf(word.name)}-file`] : []),
    ];
    if (variables.length + flags.length === 0) return [];
    const keys = word.scope === 'service' ? spellings : [];
    return [[code(word.name), ...[variables, flags, keys].map((names) => names.map(code).join(', ') || '-')]];
  });
  return markdownTable(['word', 'variables', 'flags', 'keys in `SERVICES`'], rows);
}

function kindTable(): string {
  const rows = samples(words.map((word) => word.kind)).map(({ label, accepted, refused }) => [
    label,
    accepted.map(code).join(', '),
    refused.map(({ text, message }) => `${code(text)}: ${message}`).join('; ') || 'an empty value',
  ]);
  return markdownTable(['value', 'accepted', 'refused'], rows);
}

function flag({ name }: Word): string {
  return code(`--${flagOf(name)}`);
}

function kind(word: Word): string {
  return word.kind.label;
}

function byDefault(word: Word): string {
  if (word.default !== undefined) return code(word.default);
  return isDefault(word) || word.scope === 'process' || word.name !== 'SRC' ? '-' : 'required';
}
