/** Of a proxy besides those of its connections, with what HAProxy keeps for pipes. */
const OWN_FILES = 800;

/** As many of the wanted connections as a proxy can hold, two open files each; at least one. */
export function mostConnections(wanted: number, openFiles: number): number {
  const possible = Math.floor((openFiles - OWN_FILES) / 2);
  if (wanted <= possible) return wanted;
  return Math.max(1, Math.floor(possible / 100) * 100 || possible);
}
