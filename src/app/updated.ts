/** What an update has done, by name of the service. */
export interface Updated {
  /** Those that are new. */
  readonly added: readonly string[];
  /** Those whose settings differ. */
  readonly changed: readonly string[];
  /** Those that are gone. */
  readonly removed: readonly string[];
}
