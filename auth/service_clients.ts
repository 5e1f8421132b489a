/** Services by the client IDs of their tokens. */

import type { ServiceClients } from "../config/mod.ts";

/**
 * Returns the name of the service with a client ID: the listed one, otherwise the client ID itself. Undefined for a
 * client ID that equals the name of a service with other client IDs: it is not that service.
 */
export function serviceOfClient(clientId: string, clients: ServiceClients): string | undefined {
  if (Object.hasOwn(clients, clientId)) return clients[clientId];
  return Object.values(clients).includes(clientId) ? undefined : clientId;
}
