/*
 * What JavaScript asks of TLS: contexts, which it holds as externals, the command that takes one along, and reports.
 *
 * A context is held once by JavaScript, until its object is collected, and once by each command that names it and by each
 * connection that uses it: a reload lets go of the old one, and the last connection takes it away.
 */
#include <stdlib.h>
#include <string.h>

#include "addon.h"
#include "secure.h"

#define MOST_NAME 1024

/* @returns text that the caller frees; NULL: it is none */
static char *text_of(napi_env env, napi_value value) {
  size_t length = 0;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_string) return NULL;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text != NULL && napi_get_value_string_utf8(env, value, text, length + 1, &length) == napi_ok) return text;
  free(text);
  return NULL;
}

static char *text_at(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  return napi_get_named_property(env, object, name, &value) == napi_ok ? text_of(env, value) : NULL;
}

static bool flag_at(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  bool is_on = false;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_bool(env, value, &is_on) == napi_ok && is_on;
}

/* A key is not left in memory that is given back. */
static void wipe(char *text) {
  if (text == NULL) return;
  volatile char *at = text;
  while (*at != '\0') *at++ = '\0';
  free(text);
}

static void drop_context(napi_env env, void *context, void *hint) {
  (void)env, (void)hint;
  tls_context_drop(context);
}

/* context({ isServer, asksClients, isModern, chain, key, authorities, ciphers, suites, fingerprint }): External */
napi_value addon_context(napi_env env, napi_callback_info info) {
  napi_value from = NULL, result = NULL;
  if (!addon_arguments(env, info, &from, 1)) return NULL;
  char *chain = text_at(env, from, "chain"), *key = text_at(env, from, "key");
  char *authorities = text_at(env, from, "authorities"), *fingerprint = text_at(env, from, "fingerprint");
  char *ciphers = text_at(env, from, "ciphers"), *suites = text_at(env, from, "suites");
  struct tls_settings settings = {.is_server = flag_at(env, from, "isServer"),
                                  .asks_clients = flag_at(env, from, "asksClients"),
                                  .chain = chain,
                                  .key = key,
                                  .authorities = authorities,
                                  .ciphers = ciphers,
                                  .suites = suites,
                                  .min_version = flag_at(env, from, "isModern") ? 0x0304 : 0x0303,
                                  .fingerprint = fingerprint};
  char fault[TLS_CODE_SIZE];
  struct tls_context *context = tls_context_new(&settings, fault);
  wipe(key);
  free(chain), free(authorities), free(fingerprint), free(ciphers), free(suites);
  if (context == NULL) {
    napi_throw_error(env, fault, "OpenSSL does not take the TLS material");
  } else if (napi_create_external(env, context, drop_context, NULL, &result) != napi_ok) {
    tls_context_drop(context);
  }
  return result;
}

struct secure_arguments {
  uint32_t slot, generation;
  void *context;
  char *name, *target;
  bool is_strict;
};

/* The name of a command and its words, as COMMAND_SECURE has them. */
static bool put_secure(struct thread *thread, const struct secure_arguments *from) {
  size_t name = from->name == NULL ? 0 : strlen(from->name) + 1;
  size_t target = from->target == NULL ? 0 : strlen(from->target) + 1;
  if (name > MOST_NAME || target > MOST_NAME) return false;
  uint32_t words[2 + 6 + (2 * MOST_NAME) / 4 + 1] = {COMMAND_SECURE};
  words[1] = (uint32_t)(8 + (name + target + 3) / 4);
  words[2] = from->slot;
  words[3] = from->generation;
  void *held = tls_context_hold(from->context);
  memcpy(&words[4], &held, sizeof held);
  words[6] = (name > 0 ? 1u : 0u) + (from->is_strict ? 2u : 0u);
  words[7] = (uint32_t)name;
  if (name > 0) memcpy(&words[8], from->name, name);
  if (target > 0) memcpy((char *)&words[8] + name, from->target, target);
  if (inbox_put(&thread->inbox, words, words[1])) return true;
  tls_context_drop(held);
  return false;
}

/* secure(slot, generation, context, isStrict, name?, target?): false when there is no memory for it */
napi_value addon_secure(napi_env env, napi_callback_info info) {
  napi_value values[6], result = NULL;
  struct secure_arguments from = {.slot = 0};
  if (!addon_arguments(env, info, values, 6)) return NULL;
  if (napi_get_value_uint32(env, values[0], &from.slot) != napi_ok ||
      napi_get_value_uint32(env, values[1], &from.generation) != napi_ok ||
      napi_get_value_external(env, values[2], &from.context) != napi_ok ||
      napi_get_value_bool(env, values[3], &from.is_strict) != napi_ok)
    return addon_throw_type_error(env, "secure(slot, generation, context, isStrict, name, target)");
  from.name = text_of(env, values[4]);
  from.target = text_of(env, values[5]);
  struct thread *thread = addon_thread();
  bool is_put = thread != NULL && (from.name == NULL) == (from.target == NULL) && put_secure(thread, &from);
  free(from.name), free(from.target);
  (void)napi_get_boolean(env, is_put, &result);
  return result;
}

/* report(slot): what there is to say of its TLS; undefined: nothing */
napi_value addon_report(napi_env env, napi_callback_info info) {
  napi_value value = NULL, result = NULL;
  uint32_t slot = 0;
  if (!addon_arguments(env, info, &value, 1)) return NULL;
  struct thread *thread = addon_thread();
  if (napi_get_value_uint32(env, value, &slot) != napi_ok || thread == NULL || slot >= 2 * thread->clients)
    return addon_throw_type_error(env, "report(slot)");
  struct report *report = atomic_exchange(&thread->ends[slot].report, NULL);
  if (report == NULL) return NULL;
  (void)napi_create_buffer_copy(env, report->length, report->bytes, NULL, &result);
  free(report);
  return result;
}
