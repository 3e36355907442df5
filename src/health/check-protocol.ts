/** No more of an answer is read. */
export const MOST_ANSWER_BYTES = 16 * 1024;

/** What an answer says of a candidate. */
export type HealthVerdict =
  | { readonly isOk: true }
  | {
      readonly isOk: false;
      /** One line, for people; what it quotes of the answer is short and made visible. */
      readonly fault: string;
      /** It has said that it has another role: it is believed at once, whatever `HEALTH_FALL` says. */
      readonly isCertain?: true;
    };

export const OK: HealthVerdict = { isOk: true };

/** What a candidate is asked, and what its answer means. Nothing of one check is kept for the next. */
export interface CheckProtocol {
  readonly send: Buffer;
  /**
   * @param answer all that has come so far, at most {@link MOST_ANSWER_BYTES}
   * @param isOver no more comes, or there is no time for more
   * @returns undefined: more is needed; never when `isOver`
   */
  readonly judge: (answer: Buffer, isOver: boolean) => HealthVerdict | undefined;
  /** How its connection is ended: `finish` by FIN, for servers that log a reset. */
  readonly ending: 'reset' | 'finish';
}
