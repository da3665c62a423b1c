/* Webhook URLs: their normal form, what is refused, and which setting the refusal names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "transport/transport.h"

struct url_case {
  const char *url;
  const char *expected; /* the normalised form, or a part of the message */
};

static const struct lh_transport_options strict = {0};
static const struct lh_transport_options lax = {.allow_http = 1};

static void test_urls_are_normalised(void **state) {
  (void)state;
  static const struct url_case cases[] = {
      {"https://example.com", "https://example.com/"},
      {"HTTPS://Example.COM/Hook", "https://example.com/Hook"},
      {"https://example.com:443/a", "https://example.com/a"},
      {"https://example.com:0443/a", "https://example.com/a"},
      {"http://example.com:80/", "http://example.com/"},
      {"https://example.com:80/", "https://example.com:80/"},
      {"https://example.com:8443/a?b=C&d", "https://example.com:8443/a?b=C&d"},
      {"https://example.com?x=1", "https://example.com/?x=1"},
      {"https://example.com/a/../b/./c", "https://example.com/b/c"},
      {"https://example.com/a%2Fb%20", "https://example.com/a%2Fb%20"},
      {"https://example.com/?next=http://a@b/", "https://example.com/?next=http://a@b/"},
      {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
      {"https://8.8.8.8/", "https://8.8.8.8/"},
      {"https://134744072/", "https://8.8.8.8/"},
      {"https://0x08080808/", "https://8.8.8.8/"},
      {"https://[2606:4700:0:0:0:0:0:1111]/", "https://[2606:4700::1111]/"},
      {"https://[2606:4700::ABCD]/", "https://[2606:4700::abcd]/"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[LH_URL_MAX + 1] = "";
    struct lh_error err = {0};
    if (lh_url_check(cases[i].url, &lax, out, sizeof out, &err))
      fail_msg("%s: %s", cases[i].url, err.message);
    assert_string_equal(out, cases[i].expected);
    char again[LH_URL_MAX + 1] = ""; /* a normal form is its own normal form */
    assert_int_equal(lh_url_check(out, &lax, again, sizeof again, &err), 0);
    assert_string_equal(again, out);
  }
}

static void check_refused(const struct url_case *refused,
                          const struct lh_transport_options *options) {
  char out[LH_URL_MAX + 1];
  struct lh_error err = {0};
  int rc = lh_url_check(refused->url, options, out, sizeof out, &err);
  if (rc != LH_E_INVALID) fail_msg("%s: code %d", refused->url, rc);
  if (strncmp(err.message, "url: ", 5) != 0 || !strstr(err.message, refused->expected))
    fail_msg("%s: \"%s\"", refused->url, err.message);
  assert_int_equal(lh_url_check(refused->url, options, out, sizeof out, NULL), LH_E_INVALID);
}

static void test_malformed_urls_are_refused(void **state) {
  (void)state;
  static const struct url_case cases[] = {
      {"", "https://"},
      {"example.com/", "https://"},
      {"ftp://example.com/", "https://"},
      {"file:///etc/passwd", "https://"},
      {"javascript:alert(1)", "https://"},
      {"//example.com/", "https://"},
      {"https:/example.com/", "https://"},
      {"https:example.com", "https://"},
      {"https://", "no host"},
      {"https:///example.com/", "no host"},
      {"https://:443/", "no host"},
      {"https://?x", "no host"},
      {"https://tom:secret@example.com/", "user name"},
      {"https://tom@example.com/", "user name"},
      {"https://@example.com/", "user name"},
      {"https://example.com/#top", "fragment"},
      {"https://example.com#", "fragment"},
      {"https://127.0.0.1\\@example.com/", "backslash"},
      {"https://example.com\\.evil/", "backslash"},
      {" https://example.com/", "blank"},
      {"https://example.com/a b", "blank"},
      {"https://example.com/\r\nX: y", "control"},
      {"https://example.com/\t", "control"},
      {"https://example.com/\x7f", "control"},
      {"https://b\xc3\xbc"
       "cher.example/",
       "xn--"},
      {"https://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/", "xn--"},
      {"https://%31%32%37.0.0.1/", "%"},
      {"https://[fe80::1%25lo]/", "%"},
      {"https://[::1/", ""},
      {"https://[::g]/", ""},
      {"https://[]/", ""},
      {"https://example.com:99999/", ""},
      {"https://example.com:8a/", ""},
      {"https://example.com:-1/", ""},
      {"https://example.com:0/", "port is 0"},
      {"https://example.com:000/", "port is 0"},
      {"https://exa<mple.com/", ""},
      {"https://exa mple.com/", "blank"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_refused(&cases[i], &strict);
    check_refused(&cases[i], &lax);
  }
}

static void test_http_and_private_addresses_need_a_setting(void **state) {
  (void)state;
  static const struct url_case plain = {"http://example.com/", "LOYALHOOK_ALLOW_HTTP=1"};
  static const struct url_case addresses[] = {
      {"https://127.0.0.1/", "address 127.0.0.1 is loopback; allow it with allow_networks "
                             "(LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8)"},
      {"https://127.1/", "LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8"},
      {"https://0x7f000001/", "LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8"},
      {"https://2130706433/", "LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8"},
      {"https://0177.0.0.1/", "LOYALHOOK_ALLOW_NETWORKS=127.0.0.0/8"},
      {"https://0/", "0.0.0.0"},
      {"https://10.1.2.3/", "LOYALHOOK_ALLOW_NETWORKS=10.1.2.3/32"},
      {"https://169.254.169.254/latest", "link-local"},
      {"https://[::1]/", "LOYALHOOK_ALLOW_NETWORKS=::1/128"},
      {"https://[::ffff:127.0.0.1]/", "loopback"},
      {"https://[64:ff9b::7f00:1]/", "loopback"},
      {"https://[fd00:ec2::254]/", "private"},
  };
  check_refused(&plain, &strict);
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
    check_refused(&addresses[i], &strict);

  struct lh_network networks[2];
  assert_int_equal(lh_network_parse("127.0.0.0/8", 11, &networks[0], NULL), 0);
  assert_int_equal(lh_network_parse("::1/128", 7, &networks[1], NULL), 0);
  struct lh_transport_options options = {.networks = networks, .network_count = 2};
  char out[64];
  assert_int_equal(lh_url_check("https://127.1:9000/x", &options, out, sizeof out, NULL), 0);
  assert_string_equal(out, "https://127.0.0.1:9000/x");
  assert_int_equal(lh_url_check("https://[::1]/", &options, out, sizeof out, NULL), 0);
  check_refused(&addresses[6], &options);
}

static void test_lengths_are_bounded(void **state) {
  (void)state;
  char url[LH_URL_MAX + 2] = "https://example.com/";
  char out[LH_URL_MAX + 1];
  size_t len = strlen(url);
  memset(url + len, 'a', LH_URL_MAX - len);
  url[LH_URL_MAX] = '\0';
  assert_int_equal(lh_url_check(url, &strict, out, sizeof out, NULL), 0);
  assert_string_equal(out, url);
  assert_int_equal(lh_url_check(url, &strict, out, LH_URL_MAX, NULL), LH_E_INVALID);
  url[LH_URL_MAX] = 'a';
  url[LH_URL_MAX + 1] = '\0';
  assert_int_equal(lh_url_check(url, &strict, out, sizeof out, NULL), LH_E_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_urls_are_normalised),
      cmocka_unit_test(test_malformed_urls_are_refused),
      cmocka_unit_test(test_http_and_private_addresses_need_a_setting),
      cmocka_unit_test(test_lengths_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
