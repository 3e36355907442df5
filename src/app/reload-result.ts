/** The result of reading a service's TLS material again. */
export interface ReloadResult {
  /** Name of the service. */
  readonly service: string;
  /**
   * `unchanged`: the same material; `loaded`: in use now; `refused`: it cannot be used; `unavailable`: it could not be
   * read; after the last two, the old material stays in use.
   */
  readonly outcome: 'unchanged' | 'loaded' | 'refused' | 'unavailable';
  /** Why the material was refused or unavailable, a line for each fault. */
  readonly error?: string;
}
