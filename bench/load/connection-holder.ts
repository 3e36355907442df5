/**
 * Opens connections and holds them, in a process of its own so that their cost is nobody else's:
 *   node connection-holder.js PORT COUNT
 * Each asks once and is answered, as a connection that then idles has. Says how many are open when all are, and ends
 * with the channel to its parent.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const AT_A_TIME = 100;

const [port, count] = process.argv.slice(2).map(Number);
if (port === undefined || count === undefined) throw new Error('expected PORT COUNT');
process.once('disconnect', () => process.exit());

let open = 0;
await Promise.all(Array.from({ length: AT_A_TIME }, openMore));
process.send?.({ open });

async function openMore(): Promise<void> {
  while (open < (count ?? 0)) {
    open += 1;
    const socket = connect(port ?? 0, '127.0.0.1');
    // Held until the end: one that is cut earlier shows as missing at the backend.
    socket.on('error', (error) => {
      console.error(error.message);
      process.exit(1);
    });
    await once(socket, 'connect');
    socket.write('PING\r\n');
    await once(socket, 'data');
    socket.once('close', () => process.exit(1));
  }
}
