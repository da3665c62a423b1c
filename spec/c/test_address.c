/* Who may be contacted: edges of every range, disguises of private addresses, the allow list. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/address.h"

static struct lh_network network(const char *text) {
  struct lh_network parsed;
  struct lh_error err = {.message = ""};
  int code = lh_network_parse(text, strlen(text), &parsed, &err);
  if (code != LH_OK) print_error("%s: %s\n", text, err.message);
  assert_int_equal(code, LH_OK);
  return parsed;
}

/* Read by the system, so that IPv4-mapped addresses stay what they are. */
static struct lh_address address(const char *text) {
  struct lh_address parsed = {.family = strchr(text, ':') == NULL ? 4 : 6};
  int family = parsed.family == 4 ? AF_INET : AF_INET6;
  assert_int_equal(inet_pton(family, text, parsed.bytes), 1);
  return parsed;
}

static const char *refused(const char *text) {
  struct lh_address one = address(text);
  return lh_address_refused(&one, NULL, 0);
}

static void check(const char *text, const char *range) {
  const char *got = refused(text);
  if (range == NULL && got != NULL) print_error("%s is refused as %s\n", text, got);
  if (range == NULL) {
    assert_null(got);
    return;
  }
  if (got == NULL) print_error("%s is let through\n", text);
  assert_non_null(got);
  assert_string_equal(got, range);
}

static void test_first_and_last_of_every_ipv4_range(void **state) {
  (void)state;
  static const struct {
    const char *first, *last, *range;
  } ranges[] = {
      {"0.0.0.0", "0.255.255.255", "this network"},
      {"10.0.0.0", "10.255.255.255", "private"},
      {"100.64.0.0", "100.127.255.255", "shared"},
      {"127.0.0.0", "127.255.255.255", "loopback"},
      {"169.254.0.0", "169.254.255.255", "link-local"},
      {"172.16.0.0", "172.31.255.255", "private"},
      {"192.0.0.0", "192.0.0.255", "protocol assignments"},
      {"192.0.2.0", "192.0.2.255", "documentation"},
      {"192.88.99.0", "192.88.99.255", "6to4 relay"},
      {"192.168.0.0", "192.168.255.255", "private"},
      {"198.18.0.0", "198.19.255.255", "benchmarking"},
      {"198.51.100.0", "198.51.100.255", "documentation"},
      {"203.0.113.0", "203.0.113.255", "documentation"},
      {"224.0.0.0", "239.255.255.255", "multicast"},
      {"240.0.0.0", "255.255.255.254", "reserved"},
      {"255.255.255.255", "255.255.255.255", "broadcast"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    check(ranges[i].first, ranges[i].range);
    check(ranges[i].last, ranges[i].range);
  }
}

static void test_neighbours_of_every_ipv4_range_are_public(void **state) {
  (void)state;
  static const char *const open[] = {
      "1.0.0.0",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0",
      "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",    "172.15.255.255",
      "172.32.0.0",      "191.255.255.255", "192.0.1.0",       "192.0.1.255",    "192.0.3.0",
      "192.88.98.255",   "192.88.100.0",    "192.167.255.255", "192.169.0.0",    "198.17.255.255",
      "198.20.0.0",      "198.51.99.255",   "198.51.101.0",    "203.0.112.255",  "203.0.114.0",
      "223.255.255.255", "8.8.8.8",         "93.184.216.34",
  };
  for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) check(open[i], NULL);
}

static void test_ipv6_ranges(void **state) {
  (void)state;
  static const struct {
    const char *address, *range;
  } cases[] = {
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"::2", "reserved"},
      {"::7f00:1", "reserved"}, /* IPv4-compatible */
      {"::127.0.0.1", "reserved"},
      {"::8.8.8.8", "reserved"},
      {"::ffff:0:7f00:1", "reserved"},  /* SIIT */
      {"::5efe:7f00:1", "reserved"},    /* ISATAP */
      {"::ffff:127.0.0.1", "loopback"}, /* mapped: judged as IPv4 */
      {"::ffff:10.1.2.3", "private"},
      {"::ffff:a9fe:a9fe", "link-local"}, /* 169.254.169.254 */
      {"::ffff:8.8.8.8", NULL},
      {"64:ff9b::7f00:1", "loopback"}, /* NAT64 */
      {"64:ff9b::10.0.0.1", "private"},
      {"64:ff9b::169.254.169.254", "link-local"},
      {"64:ff9b::8.8.8.8", NULL},
      {"64:ff9b::1:0:0", "reserved"},
      {"64:ff9b:1::1", "reserved"},
      {"64:ff9b:1::8.8.8.8", "reserved"},
      {"100::1", "discard"},
      {"100:0:0:1::", "reserved"},
      {"5f00::1", "segment routing"},
      {"1fff:ffff::", "reserved"},
      {"2000::1", NULL},
      {"2001:0:0:0::1", "Teredo"},
      {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo"},
      {"2001:1::1", NULL},
      {"2001:db7:ffff::1", NULL},
      {"2001:db8::1", "documentation"},
      {"2001:db9::1", NULL},
      {"2001:4860:4860::8888", NULL},
      {"2002:7f00:1::", "6to4"},
      {"2002:808:808::1", "6to4"},
      {"2003::1", NULL},
      {"2606:2800:220:1:248:1893:25c8:1946", NULL},
      {"3ffe:ffff::1", NULL},
      {"3fff::1", "documentation"},
      {"3fff:fff:ffff::1", "documentation"},
      {"3fff:1000::1", NULL},
      {"4000::1", "reserved"},
      {"8000::1", "reserved"},
      {"fbff::1", "reserved"},
      {"fc00::1", "private"},
      {"fd00:ec2::254", "private"}, /* a cloud's metadata service */
      {"fe00::1", "reserved"},
      {"fe80::1", "link-local"},
      {"febf::1", "link-local"},
      {"fec0::1", "site-local"},
      {"ff02::1", "multicast"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    check(cases[i].address, cases[i].range);
}

static void test_unknown_families_are_refused(void **state) {
  (void)state;
  struct lh_address unknown = {.family = 0, .bytes = {8, 8, 8, 8}};
  assert_string_equal(lh_address_refused(&unknown, NULL, 0), "unknown");
}

static void test_allowed_networks_lift_a_refusal_and_no_more(void **state) {
  (void)state;
  const struct lh_network allowed[] = {network("10.1.0.0/16"), network("127.0.0.1"),
                                       network("fd00:1::/32"), network("::ffff:192.168.7.0/120")};
  static const struct {
    const char *address;
    int passes;
  } cases[] = {
      {"10.1.0.0", 1},
      {"10.1.255.255", 1},
      {"10.2.0.0", 0},
      {"10.0.255.255", 0},
      {"127.0.0.1", 1},
      {"127.0.0.2", 0},
      {"::1", 0},
      {"fd00:1::5", 1},
      {"fd00:2::5", 0},
      {"::ffff:10.1.2.3", 1},
      {"::ffff:10.2.2.3", 0},
      {"64:ff9b::10.1.2.3", 1},
      {"192.168.7.9", 1},
      {"192.168.8.9", 0},
      {"8.8.8.8", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct lh_address one = address(cases[i].address);
    const char *range = lh_address_refused(&one, allowed, sizeof allowed / sizeof allowed[0]);
    assert_int_equal(range == NULL, cases[i].passes);
  }
}

static void test_everything_can_be_allowed(void **state) {
  (void)state;
  const struct lh_network allowed[] = {network("0.0.0.0/0"), network("::/0")};
  struct lh_address one = address("127.0.0.1");
  assert_null(lh_address_refused(&one, allowed, 2));
  assert_non_null(lh_address_refused(&one, allowed + 1, 1)); /* families do not mix */
  one = address("fe80::1");
  assert_null(lh_address_refused(&one, allowed, 2));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_and_last_of_every_ipv4_range),
      cmocka_unit_test(test_neighbours_of_every_ipv4_range_are_public),
      cmocka_unit_test(test_ipv6_ranges),
      cmocka_unit_test(test_unknown_families_are_refused),
      cmocka_unit_test(test_allowed_networks_lift_a_refusal_and_no_more),
      cmocka_unit_test(test_everything_can_be_allowed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
