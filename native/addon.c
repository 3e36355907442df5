/*
 * What JavaScript sees of the engine: a handful of functions of Node-API, all called on JavaScript's thread. They check what
 * they are given, and do nothing else but hand it on; src/transport/native/ is their only caller.
 *
 * One engine a process. It begins with `start` and ends with the environment, or with the process: `process.exit` runs no hooks
 * of the environment, so the end of the process is heard as well, and the thread is gone before anything it uses is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "addon.h"
#include "crash.h"
#include "engine.h"
#include "listener.h"
#include "loop.h"

/* Descriptors run out before slots do; above this, memory for the counters would be set aside that nobody needs. */
#define MOST_CLIENTS 131072u
#define LEAST_CLIENTS 64u

static struct {
  pthread_mutex_t lock;
  struct thread *thread; /* NULL: no engine */
  pthread_t id;
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct thread *addon_thread(void) {
  return engine.thread;
}

napi_value addon_throw_type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

bool addon_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  size_t got = count;
  if (napi_get_cb_info(env, info, &got, values, NULL, NULL) == napi_ok && got >= count) return true;
  addon_throw_type_error(env, "too few arguments");
  return false;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  (void)napi_create_double(env, value, &result);
  return result;
}

/* Ends the thread, from wherever the end comes first. */
static void stop(void) {
  pthread_mutex_lock(&engine.lock);
  struct thread *thread = engine.thread;
  engine.thread = NULL;
  if (thread != NULL) {
    inbox_finish(&thread->inbox);
    pthread_join(engine.id, NULL);
    thread_end(thread);
    free(thread);
  }
  pthread_mutex_unlock(&engine.lock);
}

static void stop_with_environment(void *unused) {
  (void)unused;
  stop();
}

static void *run(void *thread) {
  crash_own_thread();
  return thread_run(thread);
}

/* Signals are JavaScript's; a SIGPIPE of splice is an errno as any other. */
static int create_thread(struct thread *thread) {
  sigset_t all, before;
  sigfillset(&all);
  crash_let_through(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&engine.id, NULL, run, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) (void)pthread_setname_np(engine.id, "attache-io");
  return error;
}

static void call_javascript(napi_env env, napi_value callback, void *context, void *data) {
  (void)context;
  (void)data;
  if (env == NULL || callback == NULL) return;
  napi_value receiver = NULL;
  if (napi_get_undefined(env, &receiver) != napi_ok) return;
  /* What it throws is pending now, and Node makes an uncaught exception of it. */
  (void)napi_call_function(env, receiver, callback, 0, NULL, NULL);
}

static bool make_call(napi_env env, napi_value callback, struct thread *thread) {
  napi_value name = NULL;
  napi_threadsafe_function *call = &thread->ring.call;
  if (napi_create_string_utf8(env, "attache", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, call_javascript, call) != napi_ok)
    return false;
  if (napi_unref_threadsafe_function(env, *call) == napi_ok) return true;
  (void)napi_release_threadsafe_function(*call, napi_tsfn_release);
  return false;
}

/* Memory that both sides read. It stays for as long as `kept` does. */
static void *shared(napi_env env, napi_value object, const char *name, size_t bytes, napi_ref *kept) {
  void *memory = NULL;
  napi_value buffer = NULL;
  if (napi_create_arraybuffer(env, bytes, &memory, &buffer) != napi_ok) return NULL;
  if (napi_create_reference(env, buffer, 1, kept) != napi_ok) return NULL;
  return napi_set_named_property(env, object, name, buffer) == napi_ok ? memory : NULL;
}

static uint32_t most_clients(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max > MOST_CLIENTS) return MOST_CLIENTS;
  return limit.rlim_max < LEAST_CLIENTS ? LEAST_CLIENTS : (uint32_t)limit.rlim_max;
}

static void forget(napi_env env, napi_ref kept) {
  if (kept != NULL) (void)napi_delete_reference(env, kept);
}

/* @returns NULL: what was made is given back */
static napi_value begin(napi_env env, napi_value callback, struct thread *thread) {
  napi_value result = NULL;
  napi_ref kept_ring = NULL, kept_live = NULL;
  uint32_t clients = most_clients();
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  void *ring = shared(env, result, "ring", RING_BYTES, &kept_ring);
  struct live *live = shared(env, result, "live", 2 * clients * sizeof *live, &kept_live);
  if (ring != NULL && live != NULL && make_call(env, callback, thread)) {
    if (thread_init(thread, clients, ring, live) &&
        napi_set_named_property(env, result, "clients", number(env, clients)) == napi_ok && create_thread(thread) == 0) {
      return result;
    }
    thread_end(thread);
    (void)napi_release_threadsafe_function(thread->ring.call, napi_tsfn_release);
  }
  forget(env, kept_ring);
  forget(env, kept_live);
  return NULL;
}

/* start(onRecords): { ring, live, clients } */
static napi_value js_start(napi_env env, napi_callback_info info) {
  static bool hears_exit = false;
  napi_value callback = NULL, result = NULL;
  if (!addon_arguments(env, info, &callback, 1)) return NULL;
  pthread_mutex_lock(&engine.lock);
  bool is_free = engine.thread == NULL;
  struct thread *thread = is_free ? calloc(1, sizeof *thread) : NULL;
  if (thread != NULL) result = begin(env, callback, thread);
  if (result != NULL) engine.thread = thread;
  else free(thread);
  pthread_mutex_unlock(&engine.lock);
  if (!is_free) {
    napi_throw_error(env, "ENGINE_IN_USE", "this process has a native engine already, and can have one only");
  } else if (result == NULL) {
    napi_throw_error(env, "ENGINE_FAILED", "the native engine cannot begin: memory or descriptors are short");
  } else {
    /* Later hooks run first: this one before that of the function the thread calls. */
    (void)napi_add_env_cleanup_hook(env, stop_with_environment, NULL);
    if (!hears_exit) hears_exit = atexit(stop) == 0;
  }
  return result;
}

/* faults(): from now on a fault says how to go on without the engine. */
static napi_value js_faults(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  crash_tell();
  return NULL;
}

/* @returns the size of the address; 0: none */
static socklen_t ip_address(const char *host, uint16_t port, struct sockaddr_storage *address) {
  struct sockaddr_in *four = (void *)address;
  struct sockaddr_in6 *six = (void *)address;
  char plain[INET6_ADDRSTRLEN + 1] = "";
  const char *zone = strchr(host, '%');
  size_t length = zone == NULL ? strlen(host) : (size_t)(zone - host);
  if (length >= sizeof plain) return 0;
  memcpy(plain, host, length);
  if (zone == NULL && inet_pton(AF_INET, plain, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, plain, &six->sin6_addr) != 1) return 0;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  if (zone != NULL) six->sin6_scope_id = if_nametoindex(zone + 1);
  return sizeof *six;
}

static napi_value bytes_of(napi_env env, const void *bytes, size_t length) {
  napi_value result = NULL;
  (void)napi_create_buffer_copy(env, length, bytes, NULL, &result);
  return result;
}

/* address(host, port): Buffer, or undefined when the host is no IP address. A port below 0: the path of a Unix socket. */
static napi_value js_address(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char text[256];
  size_t length = 0;
  int32_t port = 0;
  if (!addon_arguments(env, info, values, 2)) return NULL;
  if (napi_get_value_string_utf8(env, values[0], text, sizeof text, &length) != napi_ok ||
      napi_get_value_int32(env, values[1], &port) != napi_ok)
    return addon_throw_type_error(env, "address(host, port)");
  struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
  if (port >= 0) {
    socklen_t size = ip_address(text, (uint16_t)port, &address);
    return size == 0 ? NULL : bytes_of(env, &address, size);
  }
  struct sockaddr_un *local = (void *)&address;
  if (length >= sizeof local->sun_path) return NULL;
  local->sun_family = AF_UNIX;
  memcpy(local->sun_path, text, length + 1);
  return bytes_of(env, local, offsetof(struct sockaddr_un, sun_path) + length + 1);
}

/* listen(address, isIpv6Only, keepAliveMs): a descriptor, or below zero an errno */
static napi_value js_listen(napi_env env, napi_callback_info info) {
  napi_value values[3];
  struct listener_options options = {.size = 0};
  void *bytes = NULL;
  size_t length = 0;
  if (!addon_arguments(env, info, values, 3)) return NULL;
  if (napi_get_buffer_info(env, values[0], &bytes, &length) != napi_ok || length > sizeof options.address ||
      napi_get_value_bool(env, values[1], &options.is_ipv6_only) != napi_ok ||
      napi_get_value_uint32(env, values[2], &options.keep_alive_ms) != napi_ok)
    return addon_throw_type_error(env, "listen(address, isIpv6Only, keepAliveMs)");
  memcpy(&options.address, bytes, length);
  options.size = (socklen_t)length;
  return number(env, listener_open(&options));
}

static bool descriptor_of(napi_env env, napi_callback_info info, int *fd) {
  napi_value value = NULL;
  if (!addon_arguments(env, info, &value, 1)) return false;
  if (napi_get_value_int32(env, value, fd) == napi_ok) return true;
  addon_throw_type_error(env, "a descriptor");
  return false;
}

/* bound(descriptor): { host, port } of a TCP listener, undefined otherwise */
static napi_value js_bound(napi_env env, napi_callback_info info) {
  int fd = -1;
  char text[INET6_ADDRSTRLEN];
  struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
  socklen_t size = sizeof address;
  napi_value result = NULL, host = NULL;
  if (!descriptor_of(env, info, &fd) || getsockname(fd, (struct sockaddr *)&address, &size) < 0) return NULL;
  bool is_four = address.ss_family == AF_INET;
  if (!is_four && address.ss_family != AF_INET6) return NULL;
  const struct sockaddr_in *four = (const void *)&address;
  const struct sockaddr_in6 *six = (const void *)&address;
  const void *ip = is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr;
  if (inet_ntop(address.ss_family, ip, text, sizeof text) == NULL) return NULL;
  uint16_t port = ntohs(is_four ? four->sin_port : six->sin6_port);
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &host) != napi_ok ||
      napi_set_named_property(env, result, "host", host) != napi_ok ||
      napi_set_named_property(env, result, "port", number(env, port)) != napi_ok)
    return NULL;
  return result;
}

/* refuse(descriptor): a listener refuses new clients from now on; the thread closes it when it is told */
static napi_value js_refuse(napi_env env, napi_callback_info info) {
  int fd = -1;
  if (descriptor_of(env, info, &fd)) (void)shutdown(fd, SHUT_RDWR);
  return NULL;
}

/* command(words, count): false when there is no memory for them */
static napi_value js_command(napi_env env, napi_callback_info info) {
  napi_value values[2], result = NULL;
  napi_typedarray_type type;
  void *words = NULL;
  size_t length = 0;
  uint32_t count = 0;
  if (!addon_arguments(env, info, values, 2)) return NULL;
  if (napi_get_typedarray_info(env, values[0], &type, &length, &words, NULL, NULL) != napi_ok ||
      type != napi_uint32_array || napi_get_value_uint32(env, values[1], &count) != napi_ok || count > length)
    return addon_throw_type_error(env, "command(words, count)");
  struct thread *thread = engine.thread;
  bool is_put = thread != NULL && inbox_put(&thread->inbox, words, count);
  (void)napi_get_boolean(env, is_put, &result);
  return result;
}

/* lent(slot): what the end has lent. Only between RECORD_LENT and COMMAND_TAKE. */
static napi_value js_lent(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  uint32_t slot = 0;
  if (!addon_arguments(env, info, &value, 1)) return NULL;
  struct thread *thread = engine.thread;
  if (napi_get_value_uint32(env, value, &slot) != napi_ok || thread == NULL || slot >= 2 * thread->clients)
    return addon_throw_type_error(env, "lent(slot)");
  /* JavaScript has read the record, with an acquire of its own, which C does not see. */
  (void)atomic_load_explicit(&thread->ring.shared->head, memory_order_acquire);
  const struct chunk *early = &thread->ends[slot].early;
  return bytes_of(env, early->bytes + early->from, early->length);
}

/* now(): ms of the clock that the counters have */
static napi_value js_now(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, monotonic_ms());
}

/* hold(isHeld): whether the engine keeps the event loop of JavaScript alive */
static napi_value js_hold(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  bool is_held = false;
  if (!addon_arguments(env, info, &value, 1)) return NULL;
  struct thread *thread = engine.thread;
  if (napi_get_value_bool(env, value, &is_held) != napi_ok || thread == NULL)
    return addon_throw_type_error(env, "hold(isHeld)");
  if (is_held) (void)napi_ref_threadsafe_function(env, thread->ring.call);
  else (void)napi_unref_threadsafe_function(env, thread->ring.call);
  return NULL;
}

/* probe(): why this process cannot have the engine; null: it can */
static napi_value js_probe(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  const char *missing = tls_missing();
  if (missing == NULL) (void)napi_get_null(env, &result);
  else (void)napi_create_string_utf8(env, missing, NAPI_AUTO_LENGTH, &result);
  return result;
}

#define FUNCTION(name, function) \
  { name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL }

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      FUNCTION("start", js_start),     FUNCTION("address", js_address), FUNCTION("listen", js_listen),
      FUNCTION("bound", js_bound),     FUNCTION("refuse", js_refuse),   FUNCTION("command", js_command),
      FUNCTION("lent", js_lent),       FUNCTION("now", js_now),         FUNCTION("hold", js_hold),
      FUNCTION("probe", js_probe),     FUNCTION("context", addon_context), FUNCTION("secure", addon_secure),
      FUNCTION("report", addon_report), FUNCTION("faults", js_faults),
  };
  (void)napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
