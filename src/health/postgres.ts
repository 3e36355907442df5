import { excerpt } from './excerpt.ts';
import { OK, type CheckProtocol } from './check-protocol.ts';

/** An SSLRequest: its length, and the code that stands for it (PostgreSQL, "Message Formats"). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const ANSWERS: readonly (number | undefined)[] = [...Buffer.from('SN')];

/** Every server since 7.1 answers it before anybody has to log in, and writes no line for a client that then leaves. */
export const postgresProtocol: CheckProtocol = {
  send: SSL_REQUEST,
  // A reset would be a line in its log.
  ending: 'finish',
  judge(answer, isOver) {
    if (ANSWERS.includes(answer[0])) return OK;
    if (answer.length === 0) {
      return isOver ? { isOk: false, fault: 'expected an answer to SSLRequest, got none' } : undefined;
    }
    return { isOk: false, fault: `expected S or N as the answer to SSLRequest, got "${excerpt(answer)}"` };
  },
};
