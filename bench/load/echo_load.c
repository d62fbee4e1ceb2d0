/* Load generator for TCP echo servers: one thread, epoll, N connections, each with one outstanding
 * request whose echo is compared byte by byte.
 *
 * Compiled with -DWITH_TLS it speaks TLS, with versions and ciphers of OpenSSL's choice, and takes
 * any certificate.
 *
 *   echo_load --port P [--host 127.0.0.1] [--connections 64] [--seconds 3] [--size 64] [--warmup 1]
 *             [--idle 0] [--server PID]
 *
 * Beside those, --idle connections are open over which nothing is sent, and nothing may come.
 *
 * Prints one line of tab-separated numbers, no header; fields are only ever added at its end:
 *
 *   requests/s  p50_us  p99_us  p99.9_us  errors  requests  server_cpu_s
 *
 * The first four are of the counted seconds, after the warm-up; `requests` counts every request
 * answered in the whole run, warm-up included. So does `server_cpu_s`, the CPU time that --server
 * took for them once all connections were there; 0 without that option.
 * An error is a connection that was refused, closed, left without an answer, or sent a wrong byte.
 * The first one is told on stderr. Exit code: 0 no errors, 1 errors, 2 wrong usage.
 *
 * Latency runs from before a request is sent until its last byte is there. As every connection
 * waits for its answer (a closed loop), a stalled server is asked less: compare requests/s as well.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

enum {
  max_events = 512,
  max_connecting = 64, /* fewer than any listener's backlog: a dropped SYN costs a second */
  max_size_bytes = 1 << 20,
  connections_per_address = 10000, /* of this end; an address has some 28 000 ports */
  pattern_offsets = 4096, /* a message starts at one of these offsets of the pattern */
  connect_seconds = 10,
  drain_seconds = 2, /* how long the last answers may take */
};

static const int64_t second_ns = 1000000000;

/* ---- Latency histogram: 128 linear buckets for each power of two, so a value is within 0.8 %. */

enum { sub_bits = 7, sub_count = 1 << sub_bits, bucket_count = (64 - sub_bits + 1) * sub_count };

struct histogram {
  uint64_t count;
  uint64_t buckets[bucket_count];
};

static void record(struct histogram* h, uint64_t value) {
  size_t index = value;
  if (value >= sub_count) {
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - sub_bits;
    /* value >> shift lies in [sub_count, 2 * sub_count). */
    index = (size_t)shift * sub_count + (size_t)(value >> shift);
  }
  h->buckets[index]++;
  h->count++;
}

/* The middle of the bucket that holds the given share of the values. */
static double percentile(const struct histogram* h, double share) {
  uint64_t below = 0, rank = (uint64_t)(share * (double)h->count);
  for (size_t i = 0; i < bucket_count; ++i) {
    below += h->buckets[i];
    if (below <= rank) continue;
    if (i < 2 * sub_count) return (double)i;
    unsigned shift = (unsigned)(i / sub_count) - 1;
    uint64_t low = (uint64_t)(i % sub_count + sub_count) << shift;
    return (double)low + (double)(1ULL << shift) / 2;
  }
  return 0;
}

/* ---- The run. */

struct options {
  struct sockaddr_in server;
  size_t connections, size_bytes;
  long server_pid; /* 0: not told */
  size_t idle; /* more connections, over which nothing is ever sent */
  double seconds, warmup_seconds;
};

enum state { unopened, connecting, shaking, ready, waiting, failed };

struct connection {
  int fd;
  enum state state;
  uint32_t number;
  uint32_t sequence;     /* with number it picks the message */
  size_t sent, received; /* bytes of the current request */
  int64_t sent_ns;
  const uint8_t* message;
#ifdef WITH_TLS
  SSL* ssl;
#endif
};

struct run {
  struct options options;
  int epoll;
  struct connection* connections;
  size_t opened, in_connect, outstanding, errors;
  bool sending;
  bool counting;
  uint64_t requests;
  double server_cpu_s;
  uint8_t* pattern; /* random bytes; every message is a window of it */
  uint8_t* input;
  struct histogram latency_ns;
};

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * second_ns + t.tv_nsec;
}

static void fail_program(const char* what) {
  perror(what);
  exit(1);
}

__attribute__((format(printf, 3, 4))) static void fail(struct run* r, struct connection* c,
                                                       const char* format, ...) {
  if (r->errors++ == 0) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "echo_load: connection %u: ", c->number);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
  }
  if (c->state == connecting || c->state == shaking) r->in_connect--;
  if (c->state == waiting) r->outstanding--;
  c->state = failed;
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

/* ---- The transport: send() and recv(), or the like of them over TLS. */

#ifdef WITH_TLS

static SSL_CTX* tls;

static void prepare_transport(void) {
  tls = SSL_CTX_new(TLS_client_method());
  if (tls == NULL) fail_program("SSL_CTX_new");
  SSL_CTX_set_read_ahead(tls, 1);
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static ssize_t outcome_of(struct connection* c, int result) {
  if (result > 0) return result;
  int error = SSL_get_error(c->ssl, result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
    errno = EAGAIN;
  else if (error != SSL_ERROR_SYSCALL || errno == 0)
    errno = EPROTO;
  return -1;
}

static ssize_t send_some(struct connection* c, const uint8_t* from, size_t size_bytes) {
  ERR_clear_error();
  return outcome_of(c, SSL_write(c->ssl, from, (int)size_bytes));
}

static ssize_t recv_some(struct connection* c, uint8_t* into, size_t size_bytes) {
  ERR_clear_error();
  return outcome_of(c, SSL_read(c->ssl, into, (int)size_bytes));
}

/* Returns 1 when it is done, -1 with errno when not. */
static ssize_t shake_hands(struct connection* c) {
  if (c->ssl == NULL) {
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
  }
  ERR_clear_error();
  return outcome_of(c, SSL_connect(c->ssl));
}

static const bool sends_tickets = true; /* Bytes may come before the first request. */

#else

static void prepare_transport(void) {}

static ssize_t send_some(struct connection* c, const uint8_t* from, size_t size_bytes) {
  return send(c->fd, from, size_bytes, MSG_NOSIGNAL);
}

static ssize_t recv_some(struct connection* c, uint8_t* into, size_t size_bytes) {
  return recv(c->fd, into, size_bytes, 0);
}

static ssize_t shake_hands(struct connection* c) {
  (void)c;
  return 1;
}

static const bool sends_tickets = false;

#endif

/* ---- Requests and answers. */

static void write_rest(struct run* r, struct connection* c) {
  while (c->sent < r->options.size_bytes) {
    ssize_t n = send_some(c, c->message + c->sent, r->options.size_bytes - c->sent);
    if (n < 0) {
      if (errno != EAGAIN) fail(r, c, "send: %s", strerror(errno));
      return; /* edge triggered: EPOLLOUT comes when there is room again */
    }
    c->sent += (size_t)n;
  }
}

static void send_request(struct run* r, struct connection* c, int64_t now) {
  c->sequence++;
  uint32_t mixed = (c->number * 0x9e3779b1U) ^ (c->sequence * 0x85ebca6bU);
  c->message = r->pattern + (mixed >> 20) % pattern_offsets;
  c->sent = c->received = 0;
  c->sent_ns = now;
  c->state = waiting;
  r->outstanding++;
  write_rest(r, c);
}

/* Takes what has arrived and sends the next request once the answer is whole. */
static void read_answer(struct run* r, struct connection* c) {
  while (c->state == waiting) {
    size_t missing = r->options.size_bytes - c->received;
    /* One byte more than asked for, to notice a server that answers too much. */
    ssize_t n = recv_some(c, r->input, missing + 1);
    if (n < 0) {
      if (errno != EAGAIN) fail(r, c, "recv: %s", strerror(errno));
      return;
    }
    const char* wrong = NULL;
    if (n == 0)
      wrong = "closed by the server";
    else if ((size_t)n > missing)
      wrong = "more bytes than were sent";
    else if (memcmp(r->input, c->message + c->received, (size_t)n) != 0)
      wrong = "wrong bytes in the answer";
    if (wrong != NULL) {
      fail(r, c, "request %u: %s", c->sequence, wrong);
      return;
    }
    c->received += (size_t)n;
    if ((size_t)n < missing) continue;

    int64_t now = now_ns();
    r->requests++;
    if (r->counting) record(&r->latency_ns, (uint64_t)(now - c->sent_ns));
    r->outstanding--;
    c->state = ready;
    /* Nothing more can be here before the next request: its answer is a new edge. */
    if (r->sending) send_request(r, c, now);
    return;
  }
}

/* More connections than an address has ports come from 127.0.0.2, 127.0.0.3, ... */
static bool bind_to_own_address(struct run* r, struct connection* c) {
  uint32_t further = c->number / connections_per_address;
  if (further == 0 || r->options.server.sin_addr.s_addr != htonl(INADDR_LOOPBACK)) return true;
  struct sockaddr_in own = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK + further)};
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
  if (bind(c->fd, (const struct sockaddr*)&own, sizeof own) == 0) return true;
  fail(r, c, "bind: %s", strerror(errno));
  return false;
}

static void open_connection(struct run* r, struct connection* c) {
  c->state = connecting;
  r->in_connect++;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) {
    fail(r, c, "socket: %s", strerror(errno));
    return;
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (!bind_to_own_address(r, c)) return;
  const struct sockaddr* server = (const struct sockaddr*)&r->options.server;
  if (connect(c->fd, server, sizeof r->options.server) != 0 && errno != EINPROGRESS) {
    fail(r, c, "connect: %s", strerror(errno));
    return;
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) fail_program("epoll_ctl");
}

static void finish_handshake(struct run* r, struct connection* c) {
  ssize_t done = shake_hands(c);
  if (done > 0) {
    c->state = ready;
    r->in_connect--;
  } else if (done == 0 || errno != EAGAIN) {
    fail(r, c, "handshake: %s", done == 0 ? "closed by the server" : strerror(errno));
  }
}

static void finish_connect(struct run* r, struct connection* c, uint32_t events) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    fail(r, c, "connect: %s", strerror(error));
    return;
  }
  if ((events & EPOLLOUT) == 0) return;
  c->state = shaking;
  finish_handshake(r, c);
}

static void handle(struct run* r, struct connection* c, uint32_t events) {
  switch (c->state) {
    case connecting:
      finish_connect(r, c, events);
      break;
    case shaking:
      finish_handshake(r, c);
      break;
    case waiting:
      if ((events & EPOLLOUT) != 0) write_rest(r, c);
      if ((events & ~(uint32_t)EPOLLOUT) != 0) read_answer(r, c);
      break;
    case ready:
      if ((events & EPOLLIN) != 0 && !sends_tickets)
        fail(r, c, "closed or answered without a request");
      break;
    case unopened:
    case failed:
      break;
  }
}

/* Serves events until the deadline, or for at most one round when `once` is set. */
static void serve(struct run* r, int64_t deadline_ns, bool once) {
  struct epoll_event events[max_events];
  for (;;) {
    int64_t left_ns = deadline_ns - now_ns();
    if (left_ns <= 0) return;
    int count = epoll_wait(r->epoll, events, max_events, (int)(left_ns / 1000000) + 1);
    if (count < 0 && errno != EINTR) fail_program("epoll_wait");
    for (int i = 0; i < count; ++i) handle(r, events[i].data.ptr, events[i].events);
    if (once || r->errors >= r->options.connections) return;
  }
}

static void connect_all(struct run* r) {
  int64_t deadline_ns = now_ns() + connect_seconds * second_ns;
  size_t all = r->options.connections + r->options.idle;
  while ((r->opened < all || r->in_connect > 0) && now_ns() < deadline_ns) {
    while (r->opened < all && r->in_connect < max_connecting)
      open_connection(r, &r->connections[r->opened++]);
    if (r->in_connect > 0) serve(r, deadline_ns, true);
  }
  for (size_t i = 0; i < all; ++i) {
    struct connection* c = &r->connections[i];
    if (c->state == unopened || c->state == connecting || c->state == shaking)
      fail(r, c, "no connection in time");
  }
}

/* Waits for the last answers; one that does not come is an error. */
static void drain(struct run* r) {
  int64_t deadline_ns = now_ns() + drain_seconds * second_ns;
  r->sending = false;
  while (r->outstanding > 0 && now_ns() < deadline_ns) serve(r, deadline_ns, true);
  for (size_t i = 0; i < r->options.connections; ++i)
    if (r->connections[i].state == waiting) fail(r, &r->connections[i], "no answer in time");
}

/* User and system time of all threads of the server. */
static double server_cpu_s(const struct run* r) {
  char path[64], text[1024];
  if (r->options.server_pid == 0) return 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", r->options.server_pid);
  FILE* file = fopen(path, "r");
  if (file == NULL) fail_program(path);
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  /* The name in parentheses may hold spaces; user and system time are fields 14 and 15. */
  const char* behind_name = strrchr(text, ')');
  unsigned long user, system;
  const char* format = ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
  if (behind_name == NULL || sscanf(behind_name, format, &user, &system) != 2) {
    fprintf(stderr, "echo_load: %s: not understood\n", path);
    exit(1);
  }
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Returns the length of the counted part. */
static double load(struct run* r) {
  connect_all(r);
  double cpu_before = server_cpu_s(r);
  int64_t start = now_ns();
  r->sending = true;
  for (size_t i = 0; i < r->options.connections; ++i)
    if (r->connections[i].state == ready) send_request(r, &r->connections[i], now_ns());
  serve(r, start + (int64_t)(r->options.warmup_seconds * (double)second_ns), false);
  r->counting = true;
  int64_t counted_from = now_ns();
  serve(r, counted_from + (int64_t)(r->options.seconds * (double)second_ns), false);
  r->counting = false;
  double counted_seconds = (double)(now_ns() - counted_from) / (double)second_ns;
  drain(r);
  r->server_cpu_s = server_cpu_s(r) - cpu_before;
  return counted_seconds;
}

/* ---- The command line. */

static void usage(void) {
  fputs(
      "usage: echo_load --port P [--host 127.0.0.1] [--connections 64] [--seconds 3]"
      " [--size 64] [--warmup 1] [--idle 0] [--server PID]\n",
      stderr);
  exit(2);
}

static double number(const char* text, double low, double high) {
  char* end;
  double value = strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) usage();
  return value;
}

static struct options parse(int argc, char** argv) {
  struct options o = {.server.sin_family = AF_INET,
                      .server.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                      .connections = 64,
                      .size_bytes = 64,
                      .seconds = 3,
                      .warmup_seconds = 1};
  for (int i = 1; i < argc; i += 2) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(name, "--host") == 0) {
      if (inet_pton(AF_INET, value, &o.server.sin_addr) != 1) usage();
    } else if (strcmp(name, "--port") == 0) {
      o.server.sin_port = htons((uint16_t)number(value, 1, 65535));
    } else if (strcmp(name, "--connections") == 0) {
      o.connections = (size_t)number(value, 1, 1000000);
    } else if (strcmp(name, "--idle") == 0) {
      o.idle = (size_t)number(value, 0, 1000000);
    } else if (strcmp(name, "--server") == 0) {
      o.server_pid = (long)number(value, 1, 1e9);
    } else if (strcmp(name, "--seconds") == 0) {
      o.seconds = number(value, 0.01, 1e6);
    } else if (strcmp(name, "--size") == 0) {
      o.size_bytes = (size_t)number(value, 1, max_size_bytes);
    } else if (strcmp(name, "--warmup") == 0) {
      o.warmup_seconds = number(value, 0, 1e6);
    } else {
      usage();
    }
  }
  if (o.server.sin_port == 0) usage();
  return o;
}

static void prepare(struct run* r) {
  size_t pattern_bytes = pattern_offsets + r->options.size_bytes;
  r->pattern = malloc(pattern_bytes);
  r->input = malloc(r->options.size_bytes + 1);
  size_t all = r->options.connections + r->options.idle;
  r->connections = calloc(all, sizeof *r->connections);
  if (r->pattern == NULL || r->input == NULL || r->connections == NULL) fail_program("malloc");
  uint64_t random = 88172645463325252U; /* xorshift64, the same bytes in every run */
  for (size_t i = 0; i < pattern_bytes; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    r->pattern[i] = (uint8_t)(random >> 32);
  }
  for (size_t i = 0; i < all; ++i) {
    r->connections[i].number = (uint32_t)i;
    r->connections[i].fd = -1;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  r->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (r->epoll < 0) fail_program("epoll_create1");
}

int main(int argc, char** argv) {
  static struct run r; /* static: the histogram is large */
  r.options = parse(argc, argv);
  prepare(&r);
  prepare_transport();
  double counted_seconds = load(&r);
  const struct histogram* h = &r.latency_ns;
  printf("%.1f\t%.2f\t%.2f\t%.2f\t%zu\t%llu\t%.2f\n", (double)h->count / counted_seconds,
         percentile(h, 0.5) / 1e3, percentile(h, 0.99) / 1e3, percentile(h, 0.999) / 1e3, r.errors,
         (unsigned long long)r.requests, r.server_cpu_s);
  return r.errors == 0 ? 0 : 1;
}
