import type { SettingSpec } from '../../src/config/table/setting-spec.ts';
import { flagOf, isDefault, keyOf, namesOf, settings } from '../../src/config/table/settings.ts';
import { samples } from './kind-samples.ts';
import { code, markdownTable } from './markdown.ts';

/** Every setting and every kind of value, from the table that the program itself reads. */
export function configurationReference(): string {
  return [
    '## Settings of a service',
    'Each service has its own value. A setting without a suffix is the default of every service. `SRC`, `DST` and `SRV` declare a service instead.',
    serviceTable(settings.filter(({ scope }) => scope === 'service')),
    '## Settings of the process',
    'The process has one value of each.',
    processTable(settings.filter(({ scope }) => scope === 'process')),
    '## Other names',
    'These names mean the same setting. attache refuses two names of one setting with different values.',
    otherNames(),
    '## Values',
    'Examples of accepted values, and of refused values with the message that attache prints.',
    kindTable(),
  ].join('\n\n');
}

function serviceTable(rows: readonly SettingSpec[]): string {
  return markdownTable(
    ['variable', 'flag', 'key in `SERVICES`', 'value', 'default', 'meaning'],
    rows.map((spec) => [
      code(spec.name),
      flag(spec),
      code(keyOf(spec.name)),
      kind(spec),
      byDefault(spec),
      spec.meaning,
    ]),
  );
}

function processTable(rows: readonly SettingSpec[]): string {
  return markdownTable(
    ['variable', 'flag', 'value', 'default', 'meaning'],
    rows.map((spec) => [code(spec.name), flag(spec), kind(spec), byDefault(spec), spec.meaning]),
  );
}

function otherNames(): string {
  const rows = settings.flatMap((spec) => {
    const variables = [...(spec.aliases ?? []), ...(spec.kind.form === 'secret' ? [`${spec.name}_FILE`] : [])];
    const spellings = spec.spellings ?? [];
    const flags = [
      ...namesOf(spec)
        .slice(1)
        .map((name) => `--${flagOf(name)}`),
      ...spellings.map((s) => `--${s}`),
      ...(spec.kind.form === 'secret' ? [`--${flagOf(spec.name)}-file`] : []),
    ];
    if (variables.length + flags.length === 0) return [];
    const keys = spec.scope === 'service' ? [...namesOf(spec).slice(1).map(keyOf), ...spellings] : [];
    return [[code(spec.name), ...[variables, flags, keys].map((names) => names.map(code).join(', ') || '-')]];
  });
  return markdownTable(['setting', 'variables', 'flags', 'keys in `SERVICES`'], rows);
}

function kindTable(): string {
  const rows = samples(settings.map((spec) => spec.kind)).map(({ label, accepted, refused }) => [
    label,
    accepted.map(code).join(', '),
    refused.map(({ text, message }) => `${code(text)}: ${message}`).join('; ') || '-',
  ]);
  return markdownTable(['value', 'accepted', 'refused'], rows);
}

function flag({ name }: SettingSpec): string {
  return code(`--${flagOf(name)}`);
}

function kind(spec: SettingSpec): string {
  return spec.kind.label;
}

function byDefault(spec: SettingSpec): string {
  if (spec.default !== undefined) return code(spec.default);
  return isDefault(spec) || spec.scope === 'process' || spec.name !== 'SRC' ? '-' : 'required';
}
