import type { ConfigFault } from '../../core/errors.ts';
import type { RawSetting } from './raw-setting.ts';

/** The flags of a command line. */
export interface Flags {
  /** In the order of the command line. */
  readonly given: readonly RawSetting[];
  /** Faults of the command line, which are reported together with all others. */
  readonly faults: readonly ConfigFault[];
}

export const noFlags: Flags = { given: [], faults: [] };
