const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Keeps the event loop of this process from going on, as a long computation or a pause of the process does, and takes no CPU. */
export function block(ms: number): void {
  const until = performance.now() + ms;
  for (let left = ms; left > 0; left = until - performance.now()) Atomics.wait(never, 0, 0, left);
}
