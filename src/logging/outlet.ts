/** A place that text goes to. Nobody waits for it: not the event loop, whatever its reader does. */
export interface Outlet {
  readonly isTerminal: boolean;
  /**
   * Takes one text; the next one is only to be handed over when `done` has been called.
   *
   * @param done called once, when the text has left the process or cannot; perhaps never, where a reader has stopped
   */
  send(text: string, done: (error: Error | undefined) => void): void;
}
