import type { RawSetting } from './raw-setting.ts';
import type { SettingSpec } from '../table/setting-spec.ts';
import { readName } from '../table/settings.ts';

/** A per-service setting with a suffix, which may or may not name a service. */
export interface Suffixed {
  readonly given: RawSetting;
  readonly spec: SettingSpec;
  readonly suffix: string;
  /** The value is the path of a file that holds it. */
  readonly isPath: boolean;
  /** Whether the setting can have this value. */
  readonly fits: boolean;
}

/** Finds the settings with a suffix among the names that are no setting as they stand, and what is left. */
export function readSuffixed(
  given: readonly RawSetting[],
  declared: ReadonlySet<string>,
): { readonly groups: ReadonlyMap<string, readonly Suffixed[]>; readonly unknown: readonly RawSetting[] } {
  const groups = new Map<string, Suffixed[]>();
  const unknown: RawSetting[] = [];
  for (const one of given) {
    const reading = readName(one.name, declared);
    if (reading?.kind !== 'suffixed') {
      unknown.push(one);
      continue;
    }
    const { spec, suffix, isPath } = reading;
    const group = groups.get(suffix) ?? [];
    group.push({ given: one, spec, suffix, isPath, fits: spec.kind.parse(one.text).ok });
    groups.set(suffix, group);
  }
  return { groups, unknown };
}

/**
 * Whether a variable that no service answers to is more likely another program's than a mistake: its setting is a
 * plain one (`NET_ADMIN=true`, `DST_DIR=/usr/dst`, not `CONNECT_TIMEOUT_X`) and its value none that the setting can have.
 */
export function isForeign({ given, spec, fits }: Suffixed): boolean {
  return !given.fromFlag && !fits && !spec.name.includes('_');
}

/**
 * Whether all that is said with one suffix looks like another program's, so that even its `SRC_` declares nothing:
 * `SRC_DIR=/usr/src`, perhaps with `DST_DIR=/usr/dst`. Only a path lets `SRC_` go: any other value is a mistake that
 * must not cost a service.
 */
export function isForeignGroup(group: readonly Suffixed[]): boolean {
  return group.every((one) => isForeign(one) && (one.spec.name !== 'SRC' || /^[/.~]/.test(one.given.text)));
}
