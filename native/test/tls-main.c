#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tls-tests.h"

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  bool has_tickets = argc < 3 || strcmp(argv[2], "without-tickets") != 0;
  printf("%d tests\n", has_tickets ? run_tls_tests(argv[1]) : run_tls_test_without_tickets(argv[1]));
  return 0;
}
