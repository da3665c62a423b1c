/* Which mail addresses are taken; nothing that passes can end a line or a command early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mailbox.h"

static int check(const char *address) {
  return lh_mailbox_check(address, strlen(address), NULL);
}

static void test_addresses_that_people_have_are_taken(void **state) {
  (void)state;
  static const char *const good[] = {
      "a@b",
      "ops@example.com",
      "first.last+tag@sub.example.co.uk",
      "o'brien@x-y.z",
      "root@localhost",
      "1@2.3",
      "a!#$%&*/=?^_`{|}~-@example.com",
      "UPPER@EXAMPLE.COM",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    if (check(good[i]) != LH_OK) fail_msg("%s is refused", good[i]);
}

static void test_what_is_no_address_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",        "a",         "@b",          "a@",      "a@@b",    "a b@c",      "a@b c",
      ".a@b",    "a.@b",      "a..b@c",      "a@.b",    "a@b.",    "a@b..c",     "a@-b",
      "a@b-",    "\"a b\"@c", "a@[1.2.3.4]", "<a@b>",   "A <a@b>", "a,b@c",      "a;b@c",
      "a@b,c@d", "a@b>",      "a@b_c",       "a@b\r\n", "a\n@b",   "a@b\rRCPT",  "a\t@b",
      "ä@b",     "a@ä",       "a(c)@b",      "a@b:25",  "a\\@b",   "mailto:a@b", "a@b\x7f",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (check(bad[i]) != LH_E_INVALID) fail_msg("'%s' is taken", bad[i]);
  assert_int_equal(lh_mailbox_check("a\0@b", 4, NULL), LH_E_INVALID);
  assert_int_equal(lh_mailbox_check("a@b\0c", 5, NULL), LH_E_INVALID);
}

static void test_no_byte_but_the_listed_ones_passes(void **state) {
  (void)state;
  for (int byte = 0; byte < 256; byte++) {
    char before[] = "axb@c", after[] = "a@bxc";
    before[1] = after[3] = (char)byte;
    int in_local = byte > ' ' && byte < 0x7f && strchr("\"(),:;<>@[\\]", byte) == NULL;
    int in_host = byte > ' ' && byte < 0x7f && strchr("-.", byte) != NULL;
    in_host = in_host || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
              (byte >= 'A' && byte <= 'Z');
    if ((lh_mailbox_check(before, 5, NULL) == LH_OK) != in_local) fail_msg("local 0x%02x", byte);
    if ((lh_mailbox_check(after, 5, NULL) == LH_OK) != in_host) fail_msg("host 0x%02x", byte);
  }
}

static void test_lengths_are_bounded(void **state) {
  (void)state;
  char long_local[80], address[400];
  memset(long_local, 'a', 65);
  strcpy(long_local + 64, "@b");
  assert_int_equal(check(long_local), LH_OK);
  memset(long_local, 'a', 65);
  strcpy(long_local + 65, "@b");
  assert_int_equal(check(long_local), LH_E_INVALID);
  strcpy(address, "a@");
  for (int i = 0; i < 126; i++) strcat(address, "b.");
  strcpy(address + strlen(address) - 1, "c");
  assert_int_equal(strlen(address), 254);
  assert_int_equal(check(address), LH_OK);
  strcat(address, "c");
  assert_int_equal(check(address), LH_E_INVALID);
}

static void test_a_message_shows_the_address_on_one_line(void **state) {
  (void)state;
  struct lh_error err;
  assert_int_equal(lh_mailbox_check("ops\r\n@x", 7, &err), LH_E_INVALID);
  assert_non_null(strstr(err.message, "'ops  @x' is not a mail address"));
}

static void test_lists_are_bounded_and_every_address_counts(void **state) {
  (void)state;
  char joined[400] = "a@b";
  assert_int_equal(lh_mailbox_check_list("a@b", NULL), LH_OK);
  assert_int_equal(lh_mailbox_check_list("a@b,c@d", NULL), LH_OK);
  assert_int_equal(lh_mailbox_check_list("", NULL), LH_E_INVALID);
  assert_int_equal(lh_mailbox_check_list("a@b,", NULL), LH_E_INVALID);
  assert_int_equal(lh_mailbox_check_list("a@b,,c@d", NULL), LH_E_INVALID);
  assert_int_equal(lh_mailbox_check_list("a@b, c@d", NULL), LH_E_INVALID);
  for (int i = 1; i < LH_NOTIFY_MAX; i++) strcat(joined, ",a@b");
  assert_int_equal(lh_mailbox_check_list(joined, NULL), LH_OK);
  strcat(joined, ",a@b");
  assert_int_equal(lh_mailbox_check_list(joined, NULL), LH_E_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses_that_people_have_are_taken),
      cmocka_unit_test(test_what_is_no_address_is_refused),
      cmocka_unit_test(test_no_byte_but_the_listed_ones_passes),
      cmocka_unit_test(test_lengths_are_bounded),
      cmocka_unit_test(test_a_message_shows_the_address_on_one_line),
      cmocka_unit_test(test_lists_are_bounded_and_every_address_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
