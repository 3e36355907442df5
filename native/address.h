/* Addresses of the system, as a record tells them. */
#pragma once
#include <stdint.h>
#include <sys/socket.h>

#include "ring.h"

/* `ip`: room for 16 bytes. What is no address of IP is left out. */
void address_write(const struct sockaddr_storage *address, uint8_t *ip, uint16_t *port);
/* Family and remote end. */
void address_describe(struct record_addresses *addresses, const struct sockaddr_storage *remote);
