import type { Report } from '../report.ts';
import { withoutStray } from './stray.ts';
import type { SettingSpec } from '../table/setting-spec.ts';

/** A value of a setting, and the place that gave it. */
export interface Setting {
  readonly spec: SettingSpec;
  readonly text: string;
  /** As the user typed it, for messages: `DST_PG`, `--dst`, `SERVICES[0].dst`. */
  readonly origin: string;
  /** Flags win over the environment. */
  readonly fromFlag: boolean;
  /** The text is the path of a file that holds the value. */
  readonly isPath: boolean;
  /** Written by a program, which adds nothing by accident: quotes around a secret belong to it. */
  readonly isVerbatim?: boolean;
}

/** Settings by name, at most one of a name. */
export class Settings {
  readonly #byName = new Map<string, Setting>();
  /** Settings whose value was refused, and where. */
  readonly #refused = new Map<string, string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  get(name: string): Setting | undefined {
    return this.#byName.get(name);
  }

  /** Whether the setting was given a value, even one that was refused. */
  has(name: string): boolean {
    return this.#byName.has(name) || this.#refused.has(name);
  }

  values(): Iterable<Setting> {
    return this.#byName.values();
  }

  /** Where the setting was given, or how it would be spelt here. */
  origin(name: string): string {
    return this.get(name)?.origin ?? this.#refused.get(name) ?? name;
  }

  /** Whether the setting was given something that cannot be its value. Other settings are not compared with it then. */
  isRefused(name: string): boolean {
    return this.#refused.has(name);
  }

  /** Notes that a setting was given something that cannot be its value. */
  refuse(name: string, origin: string): void {
    this.#refused.set(name, origin);
  }

  /** Adds a setting. The same setting with another value from an equally strong place is a fault that names both. */
  put(given: Setting): void {
    const held = this.get(given.spec.name);
    if (held?.fromFlag === true && !given.fromFlag) return;
    const setting = withoutStray(given, this.#report);
    if (setting === undefined) {
      this.refuse(given.spec.name, given.origin);
    } else if (held?.fromFlag !== setting.fromFlag) {
      this.#byName.set(setting.spec.name, setting);
    } else {
      this.#compare(held, setting);
    }
  }

  replace(setting: Setting): void {
    this.#byName.set(setting.spec.name, setting);
  }

  #compare(held: Setting, setting: Setting): void {
    const { origin } = setting;
    if (held.isPath !== setting.isPath) {
      this.#report.fault(origin, `expected ${held.origin} or ${origin}, got both`);
    } else if (held.text !== setting.text) {
      this.#report.fault(
        origin,
        held.origin === origin
          ? 'expected one value, got two different ones'
          : `expected the value of ${held.origin} or to be unset, got another value`,
      );
    }
  }
}
