/*
** What the programs of the bench share: a clock, a file's bytes, and the end
** with a sentence. Each prints one JSON object on its last line; bench.py reads
** it and puts the rows together.
*/
#ifndef SPEC_BENCH_BENCH_H
#define SPEC_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t bench_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A figure without a subject measures nothing: everything that fails ends the program. */
static inline void bench_need(int good, const char *what, const char *why) {
  if (good) return;
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

/* Whole file, with a NUL behind it; *len without it. */
static inline char *bench_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  bench_need(file != NULL, path, "cannot be opened");
  fseek(file, 0, SEEK_END);
  *len = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(*len + 1);
  bench_need(text != NULL && fread(text, 1, *len, file) == *len, path, "cannot be read");
  text[*len] = '\0';
  fclose(file);
  return text;
}

#endif
