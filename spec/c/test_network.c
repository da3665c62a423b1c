/* Reading networks: against the system's own reader, and the strictness beyond it. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"

static int parse(const char *text, struct lh_network *network) {
  return lh_network_parse(text, strlen(text), network, NULL);
}

static const char *const addresses[] = {
    "0.0.0.0",
    "1.2.3.4",
    "255.255.255.255",
    "10.0.0.0",
    "256.1.1.1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.4 ",
    " 1.2.3.4",
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "1.2.3.-4",
    "1.2.3.4a",
    "",
    "1.2.3.999999999999",
    "::",
    "::1",
    "1::",
    "1::2",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    ":1",
    "1:",
    ":::",
    "1:::2",
    ":",
    "::1:",
    "12345::",
    "::g",
    "::00001",
    "::0001",
    "ABCD:ef01::",
    "::1.2.3.4",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:1.2.3.4",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6::1.2.3.4",
    "1:2:3:4:5::1.2.3.4",
    "::1.2.3.256",
    "::01.2.3.4",
    "9:99:999:9999::",
    "fe80::1%lo",
    "[::1]",
    "::1 ",
    "0:0:0:0:0:0:0:0",
    "::ffff:0:0",
    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
};

static void test_agrees_with_the_system(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
    const char *text = addresses[i];
    struct lh_network network = {.prefix_len = -7};
    unsigned char bytes[16] = {0};
    int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
    int expected = inet_pton(family, text, bytes) == 1;
    int code = parse(text, &network);
    if ((code == LH_OK) != expected) print_error("text: %s\n", text);
    assert_int_equal(code == LH_OK, expected);
    if (!expected) {
      assert_int_equal(network.prefix_len, -7); /* untouched */
      continue;
    }
    if (network.address.family == 4 && family == AF_INET6) { /* IPv4-mapped */
      assert_int_equal(network.prefix_len, 32);
      assert_memory_equal(network.address.bytes, bytes + 12, 4);
      continue;
    }
    assert_int_equal(network.prefix_len, family == AF_INET ? 32 : 128);
    assert_memory_equal(network.address.bytes, bytes, 16);
  }
}

static void test_prefixes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int prefix_len; /* -1: refused */
  } cases[] = {
      {"10.0.0.0/8", 8},
      {"0.0.0.0/0", 0},
      {"1.2.3.4/32", 32},
      {"::/0", 0},
      {"::1/128", 128},
      {"fc00::/7", 7},
      {"10.0.0.0/33", -1},
      {"::/129", -1},
      {"10.0.0.0/", -1},
      {"10.0.0.0/08", -1},
      {"10.0.0.0/+8", -1},
      {"10.0.0.0/ 8", -1},
      {"10.0.0.0/8/8", -1},
      {"10.0.0.0/8 ", -1},
      {"/8", -1},
      {"10.0.0.0/x", -1},
      {"10.0.0.1/8", -1},
      {"10.128.0.0/8", -1},
      {"10.128.0.0/9", 9},
      {"fc00::1/7", -1},
      {"fe00::/7", 7},
      {"ff00::/7", -1},
      {"::1/127", -1},
      {"10.0.0.0/99999999999", -1},
      {"::ffff:10.0.0.0/104", 8},
      {"::ffff:0:0/96", 0},
      {"::ffff:0:0/95", -1},
      {"::fffe:0:0/95", 95},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct lh_network network;
    int code = parse(cases[i].text, &network);
    if ((code == LH_OK) != (cases[i].prefix_len >= 0)) print_error("text: %s\n", cases[i].text);
    assert_int_equal(code == LH_OK, cases[i].prefix_len >= 0);
    if (code == LH_OK) assert_int_equal(network.prefix_len, cases[i].prefix_len);
  }
}

static void test_says_what_is_wrong(void **state) {
  (void)state;
  struct lh_network network;
  struct lh_error err;
  assert_int_equal(parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", &network), LH_OK);
  assert_int_equal(lh_network_parse("10.0.0.1/8", 10, &network, &err), LH_E_INVALID);
  assert_string_equal(err.message, "network: 10.0.0.1/8 has bits set after its prefix");
  assert_int_equal(lh_network_parse("localhost", 9, &network, &err), LH_E_INVALID);
  assert_string_equal(err.message, "network: localhost is not an IPv4 or IPv6 address");
  assert_int_equal(lh_network_parse("1.2.3.4\0x", 9, &network, &err), LH_E_INVALID);
  char longer[4000];
  memset(longer, '1', sizeof longer);
  assert_int_equal(lh_network_parse(longer, sizeof longer, &network, &err), LH_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_agrees_with_the_system),
      cmocka_unit_test(test_prefixes),
      cmocka_unit_test(test_says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
