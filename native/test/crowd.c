/* See crowd.h. */
#include "crowd.h"

#include <netinet/in.h>
#include <unistd.h>

#include "half.h"
#include "peer.h"

#define PLACES 24
#define PAUSE_US 300

struct place {
  struct peer peer;
  uint32_t stalls; /* so many looks, it does nothing */
  bool is_bulk;
};

uint32_t draw(uint64_t *state, uint32_t below) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (uint32_t)((*state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

static struct peer come(const struct crowd *crowd) {
  struct sockaddr_storage address;
  struct sockaddr_in *four = (void *)&address;
  unsigned port = atomic_load(&crowd->square->port);
  if (port == 0) return (struct peer){.fd = -1};
  *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return peer_connect(&address, sizeof *four);
}

static void leave(struct crowd *crowd, struct place *place, bool by_reset) {
  crowd->written += place->peer.written;
  crowd->heard += place->peer.heard;
  if (by_reset) peer_reset(&place->peer);
  else peer_close(&place->peer);
  place->peer = (struct peer){.fd = -1};
}

static void act(struct crowd *crowd, struct place *place) {
  struct peer *peer = &place->peer;
  if (place->stalls > 0) {
    place->stalls -= 1;
    return;
  }
  uint32_t what = draw(&crowd->seed, 1000), most = place->is_bulk ? 65536 : 512;
  if (what < 4) leave(crowd, place, true);
  else if (what < 8) leave(crowd, place, false);
  else if (what < 14) peer_shut(peer);
  else if (what < 20) place->stalls = draw(&crowd->seed, 100);
  else if (what < 24) place->is_bulk = !place->is_bulk;
  else if (what < 600) peer_read(peer, most);
  else peer_write(peer, 1 + draw(&crowd->seed, most));
  if (peer->fd >= 0 && peer->has_ended && draw(&crowd->seed, 8) == 0) leave(crowd, place, peer->has_failed);
}

static void fill(struct crowd *crowd, struct place *place) {
  bool is_dialed = draw(&crowd->seed, 2) == 0;
  *place = (struct place){.is_bulk = draw(&crowd->seed, 3) == 0};
  place->peer = is_dialed ? peer_accept(crowd->square->candidates, true) : come(crowd);
  if (place->peer.fd >= 0) crowd->peers += 1;
}

static void *run(void *argument) {
  struct crowd *crowd = argument;
  struct place places[PLACES];
  for (int n = 0; n < PLACES; n += 1) places[n].peer.fd = -1;
  while (!atomic_load(&crowd->square->is_over)) {
    for (int n = 0; n < PLACES; n += 1) {
      if (places[n].peer.fd < 0) fill(crowd, &places[n]);
      else act(crowd, &places[n]);
    }
    usleep(PAUSE_US);
  }
  for (int n = 0; n < PLACES; n += 1) leave(crowd, &places[n], true);
  return NULL;
}

void crowd_begin(struct crowd *crowd) {
  EXPECT(pthread_create(&crowd->thread, NULL, run, crowd) == 0);
}

void crowd_end(struct crowd *crowd) {
  pthread_join(crowd->thread, NULL);
}
