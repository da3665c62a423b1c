/*
** Senders for the receiver's row. Each posts COUNT bodies on CONNECTIONS
** connections, each connection one after the other:
**   caller curl|bare PORT PATH CONNECTIONS COUNT BODY_FILE SECRET RUN
** curl is a bare libcurl multi loop, what a sender costs at best; bare is plain
** sockets, which cost next to nothing. In each body the first 24 characters of
** "@id@____…" become an id of its own (RUN is in it), and each is signed; both
** happen before the clock starts, with the line "begun".
*/
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "core/signature.h"

#define MARK "@id@____________________"
#define HEAD_MAX 1024
#define ANSWER_MAX 4096

struct request {
  char *bytes; /* the head for plain sockets, then the body */
  size_t head_len, len;
  struct curl_slist *headers;
};

struct connection {
  int socket;
  CURL *easy;
  size_t got;
  char answer[ANSWER_MAX + 1];
};

struct caller {
  int poll, port, count;
  const char *path;
  CURLM *multi;
  struct connection *connections;
  struct request *requests;
  long begun, ended, wanted, refused;
};

static int64_t wall_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void make_request(struct request *request, const struct lh_hmac_key *key, const char *path,
                         const char *body, size_t body_len) {
  char nonce[32], signature[LH_ZINRELO_SIGNATURE_LEN + 1], line[256];
  snprintf(nonce, sizeof nonce, "%lld", (long long)wall_ms());
  bench_need(lh_signature_sign_zinrelo(key, body, body_len, nonce, signature, NULL) == LH_OK,
             "sign", "no signature");
  request->bytes = malloc(body_len + HEAD_MAX);
  bench_need(request->bytes != NULL, "caller", "out of memory");
  request->head_len =
      (size_t)snprintf(request->bytes, HEAD_MAX,
                       "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: loyalhook/0.0.0\r\n"
                       "Content-Type: application/json\r\nnonce: %s\r\nx-zinrelo-signature: %s\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, nonce, signature, body_len);
  memcpy(request->bytes + request->head_len, body, body_len);
  request->len = request->head_len + body_len;
  const char *const plain[] = {"Expect:", "Accept:", "Content-Type: application/json"};
  for (size_t i = 0; i < 3; i++) request->headers = curl_slist_append(request->headers, plain[i]);
  snprintf(line, sizeof line, "nonce: %s", nonce);
  request->headers = curl_slist_append(request->headers, line);
  snprintf(line, sizeof line, "x-zinrelo-signature: %s", signature);
  request->headers = curl_slist_append(request->headers, line);
}

static void make_requests(struct caller *caller, const char *file, const char *secret, long run) {
  struct lh_hmac_key *key = NULL;
  size_t body_len = 0;
  char *body = bench_file(file, &body_len);
  char *mark = strstr(body, MARK);
  bench_need(mark != NULL, file, "has no place for an id");
  bench_need(lh_signature_key_new(LH_SCHEME_ZINRELO, secret, strlen(secret), &key, NULL) == LH_OK,
             "secret", "is none");
  for (long i = 0; i < caller->wanted; i++) {
    char id[40];
    snprintf(id, sizeof id, "%08lx%016lx", run & 0xffffffff, i);
    memcpy(mark, id, sizeof MARK - 1);
    make_request(&caller->requests[i], key, caller->path, body, body_len);
  }
  lh_hmac_key_free(key);
  free(body);
}

/* ---- plain sockets */

static void connect_one(struct caller *caller, struct connection *connection) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)caller->port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = connection};
  int one = 1, socket_ = socket(AF_INET, SOCK_STREAM, 0);
  bench_need(socket_ >= 0 &&
                 connect(socket_, (const struct sockaddr *)&address, sizeof address) == 0,
             "connect", strerror(errno));
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  connection->socket = socket_;
  epoll_ctl(caller->poll, EPOLL_CTL_ADD, socket_, &wanted);
}

/* Requests are far smaller than a socket's buffer: what does not fit is waited for. */
static void send_next(struct caller *caller, struct connection *connection) {
  const struct request *request = &caller->requests[caller->begun++];
  connection->got = 0;
  for (size_t sent = 0; sent < request->len;) {
    ssize_t did =
        send(connection->socket, request->bytes + sent, request->len - sent, MSG_NOSIGNAL);
    bench_need(did > 0, "send", strerror(errno));
    sent += (size_t)did;
  }
}

/* 1 if the whole answer is there. */
static int is_whole(struct connection *connection) {
  connection->answer[connection->got] = '\0';
  const char *end = strstr(connection->answer, "\r\n\r\n");
  const char *length = strstr(connection->answer, "Content-Length: ");
  if (!end) return 0;
  bench_need(length != NULL && length < end, "answer", "without a length");
  return connection->got >= (size_t)(end + 4 - connection->answer) + (size_t)atol(length + 16);
}

static void take_answer(struct caller *caller, struct connection *connection) {
  ssize_t did = recv(connection->socket, connection->answer + connection->got,
                     ANSWER_MAX - connection->got, 0);
  bench_need(did > 0, "receive", did == 0 ? "connection closed" : strerror(errno));
  connection->got += (size_t)did;
  if (!is_whole(connection)) return;
  if (strncmp(connection->answer, "HTTP/1.1 200 ", 13) != 0) caller->refused++;
  caller->ended++;
  if (caller->begun < caller->wanted) send_next(caller, connection);
}

static int64_t run_bare(struct caller *caller) {
  struct epoll_event events[64];
  caller->poll = epoll_create1(0);
  for (int i = 0; i < caller->count; i++) connect_one(caller, &caller->connections[i]);
  int64_t start = bench_now_ns();
  for (int i = 0; i < caller->count && caller->begun < caller->wanted; i++)
    send_next(caller, &caller->connections[i]);
  while (caller->ended < caller->wanted) {
    int ready = epoll_wait(caller->poll, events, 64, 10000);
    bench_need(ready > 0, "answers", "none for ten seconds");
    for (int i = 0; i < ready; i++) take_answer(caller, events[i].data.ptr);
  }
  int64_t took = bench_now_ns() - start;
  for (int i = 0; i < caller->count; i++) close(caller->connections[i].socket);
  close(caller->poll);
  return took;
}

/* ---- libcurl */

static size_t ignore(char *at, size_t size, size_t count, void *self) {
  (void)at;
  (void)self;
  return size * count;
}

static void make_handle(struct caller *caller, struct connection *connection) {
  char url[512];
  CURL *easy = curl_easy_init();
  bench_need(easy != NULL, "libcurl", "no handle");
  snprintf(url, sizeof url, "http://127.0.0.1:%d%s", caller->port, caller->path);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "loyalhook/0.0.0");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  connection->easy = easy;
}

static void post_next(struct caller *caller, CURL *easy) {
  const struct request *request = &caller->requests[caller->begun++];
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   (curl_off_t)(request->len - request->head_len));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->bytes + request->head_len);
  bench_need(curl_multi_add_handle(caller->multi, easy) == CURLM_OK, "libcurl", "does not start");
}

static void collect(struct caller *caller) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(caller->multi, &left))) {
    long status = 0;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    bench_need(code == CURLE_OK, "post", curl_easy_strerror(code));
    curl_multi_remove_handle(caller->multi, easy);
    caller->ended++;
    caller->refused += status != 200;
    if (caller->begun < caller->wanted) post_next(caller, easy);
  }
}

static int64_t run_curl(struct caller *caller) {
  int running;
  caller->multi = curl_multi_init();
  bench_need(caller->multi != NULL, "libcurl", "no multi handle");
  curl_multi_setopt(caller->multi, CURLMOPT_MAXCONNECTS, (long)caller->count * 2);
  for (int i = 0; i < caller->count; i++) make_handle(caller, &caller->connections[i]);
  int64_t start = bench_now_ns();
  for (int i = 0; i < caller->count && caller->begun < caller->wanted; i++)
    post_next(caller, caller->connections[i].easy);
  while (caller->ended < caller->wanted) {
    curl_multi_perform(caller->multi, &running);
    collect(caller);
    if (caller->ended < caller->wanted) curl_multi_poll(caller->multi, NULL, 0, 1000, NULL);
  }
  int64_t took = bench_now_ns() - start;
  for (int i = 0; i < caller->count; i++) curl_easy_cleanup(caller->connections[i].easy);
  curl_multi_cleanup(caller->multi);
  return took;
}

int main(int argc, char **argv) {
  struct caller caller = {0};
  bench_need(argc == 9, "caller",
             "usage: caller curl|bare PORT PATH CONNECTIONS COUNT BODY SECRET RUN");
  caller.port = atoi(argv[2]);
  caller.path = argv[3];
  caller.count = atoi(argv[4]);
  caller.wanted = atol(argv[5]);
  caller.requests = calloc((size_t)caller.wanted, sizeof *caller.requests);
  caller.connections = calloc((size_t)caller.count, sizeof *caller.connections);
  bench_need(caller.requests && caller.connections, "caller", "out of memory");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  make_requests(&caller, argv[6], argv[7], atol(argv[8]));
  puts("begun");
  fflush(stdout);
  int64_t took = strcmp(argv[1], "curl") == 0 ? run_curl(&caller) : run_bare(&caller);
  printf("{\"requests\": %ld, \"refused\": %ld, \"seconds\": %.6f}\n", caller.ended, caller.refused,
         (double)took / 1e9);
  for (long i = 0; i < caller.wanted; i++) {
    curl_slist_free_all(caller.requests[i].headers);
    free(caller.requests[i].bytes);
  }
  free(caller.requests);
  free(caller.connections);
  return 0;
}
