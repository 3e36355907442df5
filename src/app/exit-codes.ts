/** Exit codes of the program: those of sysexits.h where it has a fitting one. */
export const exitCodes = { clean: 0, cut: 1, unhealthy: 1, unavailable: 69, bug: 70, config: 78 } as const;
