/*
 * One attempt to connect to one address within a time. Which addresses a name has, and how the time is shared among them, is
 * said by JavaScript, which looks names up: see src/transport/native/dial.ts.
 */
#pragma once
#include "engine.h"

/* COMMAND_DIAL: slot, generation, ms, bytes of address, bytes of preface, 1: tell RECORD_HOME; both, each in whole words. */
void dial_start(struct thread *thread, const uint32_t *arguments);
/* epoll has told of an end that is connecting. */
void dial_event(struct thread *thread, struct end *end, uint32_t events);
timer_call dial_timed_out;
