/** One or several addresses: `:6379`, `host:6379`, `[::1]:6379`, `unix:/run/app.sock`. */
export type AddressesOption = string | readonly string[];

/** A duration: a number of milliseconds, or a text such as `500ms`, `5s`, `1m30s`, `2h`; 0 is off. */
export type DurationOption = number | string;
