/* Making, writing and reading ids. Where the random bytes come from is the caller's business. */
#include "core/id.h"

#include <assert.h>
#include <string.h>

#include "core/error.h"

#define COUNTER_MASK 0xFFFFFFU

void lh_id_seed(struct lh_id_source *source, int64_t owner, const unsigned char random[8]) {
  assert(owner != 0);
  source->owner = owner;
  memcpy(source->random, random, sizeof source->random);
  source->counter = (uint32_t)random[5] << 16 | (uint32_t)random[6] << 8 | random[7];
}

struct lh_id lh_id_next(struct lh_id_source *source, int64_t now_ms) {
  assert(source->owner != 0);
  uint32_t seconds = (uint32_t)(now_ms / 1000);
  uint32_t counter = source->counter;
  source->counter = (counter + 1) & COUNTER_MASK;
  struct lh_id id;
  for (int i = 0; i < 4; i++) id.bytes[i] = (unsigned char)(seconds >> (24 - 8 * i));
  memcpy(id.bytes + 4, source->random, sizeof source->random);
  for (int i = 0; i < 3; i++) id.bytes[9 + i] = (unsigned char)(counter >> (16 - 8 * i));
  return id;
}

void lh_id_format(const struct lh_id *id, char out[LH_ID_LEN + 1]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < LH_ID_BYTES; i++) {
    out[2 * i] = digits[id->bytes[i] >> 4];
    out[2 * i + 1] = digits[id->bytes[i] & 15];
  }
  out[LH_ID_LEN] = '\0';
}

/* Value of a lower-case hex digit, or -1. */
static int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int lh_id_parse(const char *text, size_t len, struct lh_id *id) {
  if (len != LH_ID_LEN) return LH_E_INVALID;
  struct lh_id parsed;
  for (size_t i = 0; i < LH_ID_BYTES; i++) {
    int high = digit_value(text[2 * i]);
    int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return LH_E_INVALID;
    parsed.bytes[i] = (unsigned char)(high << 4 | low);
  }
  *id = parsed;
  return LH_OK;
}
