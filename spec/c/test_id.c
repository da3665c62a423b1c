/* Ids: their layout, their counter, their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/id.h"

static const unsigned char random_bytes[8] = {0x18, 0x51, 0xBD, 0xFB, 0x9A, 0xFF, 0xFF, 0xFE};

static void next(struct lh_id_source *source, int64_t now_ms, char out[LH_ID_LEN + 1]) {
  struct lh_id id = lh_id_next(source, now_ms);
  lh_id_format(&id, out);
}

static void test_layout_and_wrap_of_the_counter(void **state) {
  (void)state;
  struct lh_id_source source = {0};
  char text[LH_ID_LEN + 1];
  lh_id_seed(&source, 42, random_bytes);
  assert_int_equal(source.owner, 42);
  next(&source, INT64_C(0x61F11851) * 1000 + 999, text);
  assert_string_equal(text, "61f118511851bdfb9afffffe");
  next(&source, INT64_C(0x61F11852) * 1000, text);
  assert_string_equal(text, "61f118521851bdfb9affffff");
  next(&source, INT64_C(0x61F11852) * 1000, text);
  assert_string_equal(text, "61f118521851bdfb9a000000");
}

static void test_ids_of_one_second_differ(void **state) {
  (void)state;
  enum { COUNT = 100000 };
  static unsigned char seen[(1 << 24) / 8];
  struct lh_id_source source = {0};
  lh_id_seed(&source, 1, random_bytes);
  for (int i = 0; i < COUNT; i++) {
    struct lh_id id = lh_id_next(&source, 1000);
    unsigned counter = (unsigned)id.bytes[9] << 16 | (unsigned)id.bytes[10] << 8 | id.bytes[11];
    assert_false(seen[counter / 8] >> counter % 8 & 1);
    seen[counter / 8] = (unsigned char)(seen[counter / 8] | 1U << counter % 8);
  }
}

static void test_seeding_anew_changes_the_process_part(void **state) {
  (void)state;
  static const unsigned char other[8] = {9, 9, 9, 9, 9, 0, 0, 0};
  struct lh_id_source source = {0};
  lh_id_seed(&source, 1, random_bytes);
  struct lh_id before = lh_id_next(&source, 0);
  lh_id_seed(&source, 2, other);
  struct lh_id after = lh_id_next(&source, 0);
  assert_memory_not_equal(before.bytes + 4, after.bytes + 4, 5);
}

static void test_text_there_and_back(void **state) {
  (void)state;
  struct lh_id id, back;
  char text[LH_ID_LEN + 1];
  for (size_t i = 0; i < LH_ID_BYTES; i++) id.bytes[i] = (unsigned char)(i * 23);
  lh_id_format(&id, text);
  assert_string_equal(text, "00172e455c738aa1b8cfe6fd");
  assert_int_equal(lh_id_parse(text, LH_ID_LEN, &back), LH_OK);
  assert_memory_equal(&back, &id, sizeof id);
  assert_int_equal(lh_id_parse("0123456789abcdef09af0a9f", LH_ID_LEN, &back), LH_OK);
  lh_id_format(&back, text);
  assert_string_equal(text, "0123456789abcdef09af0a9f");
}

static void test_other_texts_are_refused_and_leave_the_id_alone(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",
      "61f11851bdfb9aac526d0c7",
      "61f11851bdfb9aac526d0c700",
      "61F11851bdfb9aac526d0c70",
      "61f11851bdfb9aac526d0c7g",
      "61f11851bdfb9aac526d0c7 ",
      "0x1f11851bdfb9aac526d0c7",
  };
  struct lh_id id = {.bytes = {7}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(lh_id_parse(wrong[i], strlen(wrong[i]), &id), LH_E_INVALID);
  assert_int_equal(lh_id_parse("61f11851bdfb9aac526d0c7\0", LH_ID_LEN, &id), LH_E_INVALID);
  assert_int_equal(id.bytes[0], 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layout_and_wrap_of_the_counter),
      cmocka_unit_test(test_ids_of_one_second_differ),
      cmocka_unit_test(test_seeding_anew_changes_the_process_part),
      cmocka_unit_test(test_text_there_and_back),
      cmocka_unit_test(test_other_texts_are_refused_and_leave_the_id_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
