/*
** Runs delivery stories: scenario [--rewrite] FILE… (TAP on stdout).
**
** A file has comment lines (#), directives (story.h) and, after a line `----`,
** the log that the story must make. --rewrite puts the log that it did make
** there; commit that difference only when you can explain it.
*/
#include "spec/contract/recount.h"
#include "story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024 * 1024)
#define COUNTED_MAX 3000 /* events of a story that are explained one by one at its end */

static char *file_read(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *text = malloc(FILE_BYTES_MAX + 1);
  assert(text);
  size_t len = fread(text, 1, FILE_BYTES_MAX, file);
  int good = !ferror(file) && feof(file);
  (void)fclose(file);
  text[len] = '\0';
  if (good) return text;
  free(text);
  return NULL;
}

/* Where the expected log begins; the story ends there. NULL: there is no `----`. */
static char *cut_expected(char *text) {
  static const char mark[] = "\n----\n";
  char *at = strstr(text, mark);
  if (!at) return NULL;
  at[1] = '\0';
  return at + sizeof mark - 1;
}

static void play(struct story *story, const char *text) {
  char line[1024];
  while (*text && !story->broken) {
    size_t len = strcspn(text, "\n");
    snprintf(line, sizeof line, "%.*s", (int)len, text);
    if (line[0] != '#') story_do(story, line);
    text += len + (text[len] == '\n');
  }
}

static int file_rewrite(const char *path, const char *before, const char *log) {
  FILE *file = fopen(path, "wb");
  if (!file) return -1;
  int written = fprintf(file, "%s----\n%s", before, log);
  return fclose(file) == 0 && written > 0 ? 0 : -1;
}

/* Side by side would not fit a screen: expected, then made, from the first difference on. */
static void print_difference(const char *expected, const char *made) {
  size_t same = 0, at = 0;
  while (expected[at] && expected[at] == made[at])
    if (expected[at++] == '\n') same = at;
  printf("# the same up to here; expected:\n%s# made:\n%s", expected + same, made + same);
}

static int verdict(const char *path, char *text, const char *expected, int rewrite) {
  struct story story;
  story_open(&story);
  play(&story, text);
  const char *wrong = story.broken ? NULL : recount(story.store);
  if (wrong == NULL && !story.broken && story.event_count <= COUNTED_MAX && !story.retention_ms)
    wrong = recount_events(story.store, story.events, story.event_count);
  if (wrong != NULL) story_complain(&story, "%s", wrong);
  char *log = story_text(&story);
  int good = !story.broken && strcmp(log, expected) == 0;
  if (!good && !story.broken && rewrite) good = file_rewrite(path, text, log) == 0;
  if (!good) print_difference(expected, log);
  free(log);
  story_close(&story);
  return good;
}

static int scenario(const char *path, int rewrite) {
  char *text = file_read(path);
  char *expected = text ? cut_expected(text) : NULL;
  int good = expected != NULL;
  if (!good)
    printf("# %s cannot be read, or has no line ----\n", path);
  else
    good = verdict(path, text, expected, rewrite);
  free(text);
  return good;
}

int main(int argc, char **argv) {
  int failed = 0, rewrite = argc > 1 && strcmp(argv[1], "--rewrite") == 0;
  for (int i = 1 + rewrite; i < argc; i++) {
    int good = scenario(argv[i], rewrite);
    printf("%s %d - %s\n", good ? "ok" : "not ok", i - rewrite, argv[i]);
    if (!good) failed = 1;
    (void)fflush(stdout);
  }
  return failed;
}
