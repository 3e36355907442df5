/** Whatever is done for one connection: an error that escapes from it ends that connection, and nobody else's. */
export interface Contained {
  /** Ends the connection it belongs to. @throws `error` when it belongs to none */
  faulted(error: unknown): void;
}

/**
 * For what Node calls for one connection (timers, events): out there an error would end the process, with every other
 * connection.
 */
export function contained<T extends Contained>(work: (one: T) => void): (one: T) => void {
  return (one) => {
    try {
      work(one);
    } catch (error) {
      one.faulted(error);
    }
  };
}

/** The same for a call that is made here. */
export function containing(one: Contained, work: () => void): void {
  try {
    work();
  } catch (error) {
    one.faulted(error);
  }
}
