import type { SettingRow, SettingTable, Values } from './setting-spec.ts';

/** The fields that the rows of a table name, those right below `P`; a list that was not set is empty. */
export type Fields<W extends SettingTable, P extends string = ''> = {
  readonly [K in keyof W as W[K] extends { readonly field: `${P}${infer F}` } ? Own<F> : never]: FieldValue<W[K]>;
};

/**
 * The part of a configuration that its rows say by themselves.
 *
 * @param prefix `log.` makes what stands in `log`
 */
export function fieldsOf<W extends SettingTable>(table: W, values: Values<W>): Fields<W>;
export function fieldsOf<W extends SettingTable, P extends string>(
  table: W,
  values: Values<W>,
  prefix: P,
): Fields<W, P>;
export function fieldsOf(table: SettingTable, values: Readonly<Record<string, unknown>>, prefix = ''): object {
  const fields = Object.entries(table).flatMap(([name, { field, kind }]) => {
    if (field?.startsWith(prefix) !== true || field.includes('.', prefix.length)) return [];
    return [[field.slice(prefix.length), values[name] ?? (kind.form === 'list' ? [] : undefined)] as const];
  });
  return Object.fromEntries(fields);
}

/** The value at a path such as `log.level`; undefined when there is none. */
export function valueAt(config: unknown, field: string): unknown {
  return field.split('.').reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }, config);
}

/** What stands deeper is made by hand. */
type Own<F extends string> = F extends `${string}.${string}` ? never : F;

type FieldValue<R> =
  R extends SettingRow<infer T>
    ? R extends { default: string }
      ? T
      : T extends readonly unknown[]
        ? T
        : T | undefined
    : never;
