/* For the engine's tests: one on a store in memory, a network without sockets, a standing clock. */
#ifndef SPEC_ENGINE_BENCH_H
#define SPEC_ENGINE_BENCH_H

#include "engine/engine.h"
#include "fake_store.h"
#include "fake_transport.h"

struct bench {
  struct fake_clock clock;
  struct fake_network network;
  struct fake_store store;
  struct fake_transport transport;
  struct lh_engine *engine;
  struct lh_engine_report report;
  struct fake_endpoint *endpoint;
  /* The last POST that was sent. */
  size_t sent;
  char headers[16][512];
  size_t header_count;
  char body[4096];
  size_t body_len;
  int64_t sending_takes_ms; /* the clock moves by it with each POST */
};

/* Opens everything; aborts the test on failure. concurrency and bytes as in the options. */
struct bench *bench_open(enum lh_scheme scheme, size_t concurrency, int64_t bytes);
/* Closes the engine, if it is still open, and everything else. */
void bench_close(struct bench *bench);
/* The script of the only endpoint is this one answer from now on. */
void bench_answer(struct bench *bench, enum fake_kind kind, enum lh_outcome outcome, int status,
                  int64_t after_ms);
/* One step that must not fail. */
void bench_step(struct bench *bench);
/* Steps until nothing is in flight; at most `most` times, a second apart. */
void bench_settle(struct bench *bench, int most);
/* Value of a header of the last POST, NULL if it had none. */
const char *bench_header(const struct bench *bench, const char *name);

#endif
