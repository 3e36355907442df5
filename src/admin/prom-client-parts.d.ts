/** The process metrics of the library one by one; it declares no types for them. */
declare module 'prom-client/lib/metrics/*' {
  import type { Registry } from 'prom-client';

  const register: (registry: Registry) => void;
  export default register;
}
