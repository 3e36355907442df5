/* The clock of the counters and of all time-outs. A fuzzer links a clock of its own. */
#pragma once

/* ms of CLOCK_MONOTONIC. Any thread. */
double monotonic_ms(void);
