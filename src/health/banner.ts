import type { HealthCheck } from '../core/health-check.ts';
import { matcherOf } from './expectation.ts';
import { excerpt } from './excerpt.ts';
import { OK, type CheckProtocol } from './check-protocol.ts';

/** Bytes to send and an answer to expect, as somebody wrote them. */
export function bannerProtocol(
  check: Extract<HealthCheck, { readonly kind: 'tcp' | 'tls' }>,
): CheckProtocol | undefined {
  const { send, expect } = check;
  const bytes = Buffer.from(send, 'latin1');
  if (expect === undefined) {
    return bytes.length === 0 ? undefined : { send: bytes, judge: () => OK, ending: 'reset' };
  }
  const matches = matcherOf(expect);
  return {
    send: bytes,
    ending: 'reset',
    judge(answer, isOver) {
      const match = matches(answer.toString('latin1'), isOver);
      if (match === 'yes') return OK;
      if (match === 'unknown' && !isOver) return undefined;
      const got = answer.length === 0 ? 'no answer' : `"${excerpt(answer)}"`;
      return { isOk: false, fault: `expected what HEALTH_EXPECT says, got ${got}` };
    },
  };
}
