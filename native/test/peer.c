/* See peer.h. */
#include "peer.h"

#include <errno.h>
#include <unistd.h>

#include "half.h"

#define PIECE_BYTES 65536

struct peer peer_connect(const struct sockaddr_storage *address, socklen_t size) {
  struct peer peer = {.is_tcp = address->ss_family != AF_UNIX};
  peer.fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  EXPECT(peer.fd >= 0);
  if (connect(peer.fd, (const struct sockaddr *)address, size) < 0 && errno != EINPROGRESS) peer_close(&peer);
  return peer;
}

struct peer peer_accept(int listener, bool is_tcp) {
  return (struct peer){.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), .is_tcp = is_tcp};
}

void peer_write(struct peer *peer, size_t most) {
  uint8_t bytes[PIECE_BYTES];
  size_t count = most < sizeof bytes ? most : sizeof bytes;
  for (size_t n = 0; n < count; n += 1) bytes[n] = (uint8_t)((peer->written + n) % STREAM_PERIOD);
  ssize_t sent = send(peer->fd, bytes, count, MSG_NOSIGNAL);
  if (sent > 0) peer->written += (uint64_t)sent;
}

static void hear(struct peer *peer, const uint8_t *bytes, size_t count) {
  for (size_t n = 0; n < count; n += 1) {
    if (bytes[n] == PREFACE_BYTE) continue;
    EXPECT(peer->heard == 0 || bytes[n] == peer->next);
    peer->next = (uint8_t)((bytes[n] + 1) % STREAM_PERIOD);
    peer->heard += 1;
  }
}

void peer_read(struct peer *peer, size_t most) {
  uint8_t bytes[PIECE_BYTES];
  ssize_t got = recv(peer->fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
  if (got > 0) hear(peer, bytes, (size_t)got);
  else if (got == 0) peer->has_ended = most > 0;
  else if (errno != EAGAIN && errno != EINTR) peer->has_ended = peer->has_failed = true;
}

void peer_shut(struct peer *peer) {
  (void)shutdown(peer->fd, SHUT_WR);
}

void peer_reset(struct peer *peer) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  if (peer->is_tcp) (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  peer_close(peer);
}

void peer_close(struct peer *peer) {
  if (peer->fd >= 0) close(peer->fd);
  peer->fd = -1;
}
