/** Keeps the event loop of this process busy, as a long computation or a pause of the process does. */
export function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
