/** What is known of the stream that a socket brings. */
export type Reads =
  /** More may come. */
  | 'open'
  /** Node has said that its sender has finished; it may have been reset as well. */
  | 'ending'
  /** Its sender has finished, and every byte before that has been read. */
  | 'ended'
  /** The same, by closing TCP without the close_notify that TLS ends a stream with. */
  | 'truncated'
  /** The socket is gone, after the end of its stream. */
  | 'closed'
  /** The socket is gone, and the end of its stream was not seen. */
  | 'cut';
