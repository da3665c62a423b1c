/* See engine_bench.h. */
#include "engine_bench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sent(void *self, const struct lh_post *post) {
  struct bench *bench = self;
  bench->sent++;
  bench->header_count = post->header_count < 16 ? post->header_count : 16;
  for (size_t i = 0; i < bench->header_count; i++)
    snprintf(bench->headers[i], sizeof bench->headers[i], "%s", post->headers[i]);
  bench->body_len = post->body_len < sizeof bench->body ? post->body_len : sizeof bench->body;
  memcpy(bench->body, post->body, bench->body_len);
  fake_clock_advance(&bench->clock, bench->sending_takes_ms);
}

struct bench *bench_open(enum lh_scheme scheme, size_t concurrency, int64_t bytes) {
  struct bench *bench = calloc(1, sizeof *bench);
  assert(bench);
  fake_clock_init(&bench->clock, 7);
  bench->network = (struct fake_network){.clock = &bench->clock, .self = bench, .sent = sent};
  fake_store_init(&bench->store, scheme);
  fake_transport_init(&bench->transport, &bench->network);
  bench->endpoint = fake_network_endpoint(&bench->network, bench->store.target.webhook.url);
  struct lh_engine_options options = {
      .store = &bench->store.door,
      .transport = &bench->transport.door,
      .clock = &bench->clock.door,
      .concurrency = concurrency,
      .bodies_bytes_max = bytes,
      .sends_notices = 1,
      .retention_ms = 30,
      .failed_retention_ms = 90,
  };
  int code = lh_engine_open(&options, &bench->engine, NULL);
  assert(code == 0);
  (void)code;
  return bench;
}

void bench_close(struct bench *bench) {
  lh_engine_close(bench->engine);
  fake_transport_clear(&bench->transport);
  fake_store_clear(&bench->store);
  free(bench);
}

void bench_answer(struct bench *bench, enum fake_kind kind, enum lh_outcome outcome, int status,
                  int64_t after_ms) {
  struct fake_answer answer = {.kind = kind,
                               .outcome = outcome,
                               .status = status,
                               .uploaded = 1,
                               .after_ms = after_ms,
                               .times = 1};
  fake_endpoint_script_begin(bench->endpoint);
  fake_endpoint_script_add(bench->endpoint, &answer);
}

void bench_step(struct bench *bench) {
  struct lh_error err = {.message = ""};
  int code = lh_engine_step(bench->engine, 0, NULL, 0, &bench->report, &err);
  if (code != 0) (void)fprintf(stderr, "step: %s\n", err.message);
  assert(code == 0);
}

void bench_settle(struct bench *bench, int most) {
  do {
    bench_step(bench);
    fake_clock_advance(&bench->clock, 1000);
  } while (--most > 0 && bench->report.in_flight > 0);
}

const char *bench_header(const struct bench *bench, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < bench->header_count; i++)
    if (strncmp(bench->headers[i], name, len) == 0 &&
        strncmp(bench->headers[i] + len, ": ", 2) == 0)
      return bench->headers[i] + len + 2;
  return NULL;
}
