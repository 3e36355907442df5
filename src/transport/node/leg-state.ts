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

/** What becomes of that which is written to a socket. */
export type Writes =
  /** More may be written. */
  | 'open'
  /** A FIN goes out behind what was written, or has gone out. */
  | 'finishing'
  /** The socket closes behind what was written, whatever is still to be read. */
  | 'closing'
  /** The socket is gone. */
  | 'closed';
