import type { Balance } from '../config.ts';
import { refuse, type Kind } from './kind.ts';
import { boolean, choice } from './plain-kinds.ts';

/** `BALANCE`. */
export const balancePolicy = choice<Balance>({
  choices: ['ordered', 'round-robin', 'least-connections', 'random'],
  elsewhere: {
    rr: 'round-robin',
    leastconn: 'least-connections',
    least_conn: 'least-connections',
    least_request: 'least-connections',
    failover: 'ordered',
    first: 'ordered',
    priority: 'ordered',
  },
});

/** `LB`: who names a policy there is told of `BALANCE`. */
export const balanceSwitch: Kind<boolean, boolean> = {
  ...boolean,
  parse(text) {
    const parsed = boolean.parse(text);
    const policy = parsed.ok ? undefined : balancePolicy.meantBy(text);
    if (parsed.ok || policy === undefined) return parsed;
    return refuse(...parsed.faults.map((fault) => `${fault}; did you mean BALANCE=${policy}?`));
  },
};
