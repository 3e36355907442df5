/* See address.h. */
#include "address.h"

#include <netinet/in.h>
#include <string.h>

void address_write(const struct sockaddr_storage *address, uint8_t *ip, uint16_t *port) {
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *four = (const void *)address;
    memcpy(ip, &four->sin_addr, 4);
    *port = ntohs(four->sin_port);
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const void *)address;
    memcpy(ip, &six->sin6_addr, 16);
    *port = ntohs(six->sin6_port);
  }
}

void address_describe(struct record_addresses *addresses, const struct sockaddr_storage *remote) {
  if (remote->ss_family != AF_INET && remote->ss_family != AF_INET6) return;
  addresses->family = remote->ss_family == AF_INET ? 4 : 6;
  address_write(remote, addresses->remote, &addresses->remote_port);
}
