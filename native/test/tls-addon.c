/* The tests in a node: `process.dlopen` runs them with the certificates in ATTACHE_TLS_CERTIFICATES. */
#include <node_api.h>
#include <stdlib.h>

#include "tls-tests.h"

NAPI_MODULE_INIT() {
  napi_value count;
  if (napi_create_int32(env, run_tls_tests(getenv("ATTACHE_TLS_CERTIFICATES")), &count) != napi_ok) return NULL;
  return napi_set_named_property(env, exports, "count", count) == napi_ok ? exports : NULL;
}
