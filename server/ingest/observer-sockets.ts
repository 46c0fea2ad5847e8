import type { OldProtocolLimits } from './limits.ts';

/** One socket of the predecessor's protocol, as its student's other sockets see it. */
export type ObserverSocket = {
  readonly student: string;
  setUnread(isUnread: boolean): void;
  close(): void;
};

export type ObserverSockets = {
  /** A socket whose student is known and that has sent no data event. */
  add(socket: ObserverSocket): void;
  /** It sent its first data event. */
  activate(socket: ObserverSocket): void;
  remove(socket: ObserverSocket): void;
};

type OfStudent = { readonly silent: Set<ObserverSocket>; readonly active: Set<ObserverSocket> };

/**
 * Every reload of a page leaves a socket behind, so silent ones are not counted as long as they are few. Of those that sent data
 * the newest are read; older ones stay open unread, since a close would only bring them back (wire.md §A12).
 */
export function openObserverSockets(limits: OldProtocolLimits): ObserverSockets {
  const students = new Map<string, OfStudent>();

  function readNewest(active: Set<ObserverSocket>): void {
    let unread = active.size - limits.activeSockets;
    for (const socket of active) {
      socket.setUnread(unread > 0);
      unread -= 1;
    }
  }

  return {
    add(socket) {
      const known = students.get(socket.student) ?? { silent: new Set(), active: new Set() };
      students.set(socket.student, known);
      known.silent.add(socket);
      const [oldest] = known.silent;
      if (known.silent.size > limits.silentSockets) oldest?.close();
    },
    activate(socket) {
      const known = students.get(socket.student);
      if (!known?.silent.delete(socket)) return;
      known.active.add(socket);
      readNewest(known.active);
    },
    remove(socket) {
      const known = students.get(socket.student);
      if (!known) return;
      known.silent.delete(socket);
      if (known.active.delete(socket)) readNewest(known.active);
      if (known.silent.size + known.active.size === 0) students.delete(socket.student);
    },
  };
}
