/**
 * From this many unsent bytes on, a socket's `write` asks its caller to wait for `drain`. The same on every Node version
 * (the default is 16 KiB on 20 and 64 KiB on 24), because the reuse of read buffers counts on it.
 */
export const WRITE_HIGH_WATER_BYTES = 16 * 1024;
