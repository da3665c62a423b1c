/*
** The yardstick of delivery: a bare libcurl multi loop that posts the same
** bytes over and over, on as many connections as it is told, and looks at
** nothing but the status:
**   poster URL PATHS CONNECTIONS COUNT BODY_FILE
** URL gets a number from 1 to PATHS at its end. Header lines are as long as
** loyalhook's; a connection's headers and body are set once.
*/
#include <curl/curl.h>
#include <string.h>

#include "bench.h"

struct poster {
  CURLM *multi;
  struct curl_slist *headers;
  char *body;
  size_t body_len;
  const char *url;
  int paths;
  long begun, ended, count;
};

static size_t ignore(char *at, size_t size, size_t count, void *self) {
  (void)at;
  (void)self;
  return size * count;
}

static void add_headers(struct poster *poster) {
  char signature[160];
  snprintf(signature, sizeof signature, "x-zinrelo-signature: %0128d", 7);
  const char *const lines[] = {"Expect:", "Accept:", "Content-Type: application/json",
                               "nonce: 1732551234567", signature};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    poster->headers = curl_slist_append(poster->headers, lines[i]);
}

static CURL *new_handle(struct poster *poster, int number) {
  char url[512];
  CURL *easy = curl_easy_init();
  bench_need(easy != NULL, "libcurl", "no handle");
  snprintf(url, sizeof url, "%s%d", poster->url, number % poster->paths + 1);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, poster->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)poster->body_len);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, poster->body);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "loyalhook/0.0.0");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  return easy;
}

static void begin(struct poster *poster, CURL *easy) {
  bench_need(curl_multi_add_handle(poster->multi, easy) == CURLM_OK, "libcurl", "does not start");
  poster->begun++;
}

static void collect(struct poster *poster) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(poster->multi, &left))) {
    long status = 0;
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    bench_need(code == CURLE_OK && status == 200, "post", curl_easy_strerror(code));
    curl_multi_remove_handle(poster->multi, easy);
    poster->ended++;
    if (poster->begun < poster->count) begin(poster, easy);
  }
}

static int64_t run(struct poster *poster, CURL **handles, int connections) {
  int running;
  int64_t start = bench_now_ns();
  for (int i = 0; i < connections && poster->begun < poster->count; i++) begin(poster, handles[i]);
  while (poster->ended < poster->count) {
    curl_multi_perform(poster->multi, &running);
    collect(poster);
    if (poster->ended < poster->count) curl_multi_poll(poster->multi, NULL, 0, 1000, NULL);
  }
  return bench_now_ns() - start;
}

int main(int argc, char **argv) {
  struct poster poster = {0};
  bench_need(argc == 6, "poster", "usage: poster URL PATHS CONNECTIONS COUNT BODY_FILE");
  poster.url = argv[1];
  poster.paths = atoi(argv[2]);
  int connections = atoi(argv[3]);
  poster.count = atol(argv[4]);
  poster.body = bench_file(argv[5], &poster.body_len);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  poster.multi = curl_multi_init();
  CURL **handles = calloc((size_t)connections, sizeof *handles);
  bench_need(poster.multi && handles, "poster", "out of memory");
  curl_multi_setopt(poster.multi, CURLMOPT_MAXCONNECTS, (long)connections * 2);
  add_headers(&poster);
  for (int i = 0; i < connections; i++) handles[i] = new_handle(&poster, i);
  int64_t took = run(&poster, handles, connections);
  printf("{\"requests\": %ld, \"seconds\": %.6f}\n", poster.ended, (double)took / 1e9);
  for (int i = 0; i < connections; i++) curl_easy_cleanup(handles[i]);
  curl_multi_cleanup(poster.multi);
  curl_slist_free_all(poster.headers);
  free(handles);
  free(poster.body);
  return 0;
}
