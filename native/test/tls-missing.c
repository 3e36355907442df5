/* A process without OpenSSL: what is missing is said, and nothing else of it is called. */
#include <stdio.h>

#include "../tls.h"

int main(void) {
  const char *missing = tls_missing();
  printf("%s\n", missing == NULL ? "nothing" : missing);
  return 0;
}
