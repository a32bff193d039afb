import { once } from 'node:events';
import type { Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';

/** Closes a server and its connections, and waits until their handles are gone. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  // Node tells of the close before libuv does it, at the end of the turn, and of the sockets' a turn later.
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}
