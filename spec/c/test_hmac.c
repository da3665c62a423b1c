/* HMAC against RFC 4231, one shot and in pieces, and prepared keys used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/hmac.h"

struct rfc_case {
  int number;
  size_t key_len;
  const char *key;
  unsigned char fill_key; /* instead of key, if key is NULL */
  size_t message_len;
  const char *message;
  unsigned char fill_message;
  const char *sha256;
  const char *sha512;
};

#define TEXT6 "Test Using Larger Than Block-Size Key - Hash Key First"
#define TEXT7                                                                                      \
  "This is a test using a larger than block-size key and a larger than block-size data. The key "  \
  "needs to be hashed before being used by the HMAC algorithm."

static const struct rfc_case cases[] = {
    {1, 20, NULL, 0x0B, 8, "Hi There", 0,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {2, 4, "Jefe", 0, 28, "what do ya want for nothing?", 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {3, 20, NULL, 0xAA, 50, NULL, 0xDD,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
     "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
    {4, 25,
     "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
     "\x18\x19",
     0, 50, NULL, 0xCD, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
     "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
    {6, 131, NULL, 0xAA, sizeof TEXT6 - 1, TEXT6, 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {7, 131, NULL, 0xAA, sizeof TEXT7 - 1, TEXT7, 0,
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
     "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
};

static void bytes_of(const char *text, unsigned char fill, size_t len, unsigned char *out) {
  if (text == NULL)
    memset(out, fill, len);
  else
    memcpy(out, text, len);
}

static void assert_tag(const unsigned char *tag, size_t len, const char *expected) {
  char hex[2 * LH_HMAC_MAX + 1] = "";
  for (size_t i = 0; i < len; i++) snprintf(hex + 2 * i, 3, "%02x", tag[i]);
  assert_string_equal(hex, expected);
}

static struct lh_hmac_key *key_of(enum lh_hash hash, const void *secret, size_t len) {
  struct lh_hmac_key *key = NULL;
  assert_int_equal(lh_hmac_key_new(hash, secret, len, &key, NULL), LH_OK);
  assert_non_null(key);
  return key;
}

static void test_rfc_4231(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct rfc_case *rfc = &cases[i];
    unsigned char secret[160], message[200], tag[LH_HMAC_MAX];
    bytes_of(rfc->key, rfc->fill_key, rfc->key_len, secret);
    bytes_of(rfc->message, rfc->fill_message, rfc->message_len, message);
    for (int hash = LH_SHA256; hash <= LH_SHA512; hash++) {
      struct lh_hmac_key *key = key_of((enum lh_hash)hash, secret, rfc->key_len);
      assert_int_equal(lh_hmac_key_hash(key), hash);
      struct lh_piece whole = {message, rfc->message_len};
      size_t len = lh_hmac_tag(key, &whole, 1, tag);
      assert_int_equal(len, hash == LH_SHA512 ? 64 : 32);
      assert_tag(tag, len, hash == LH_SHA512 ? rfc->sha512 : rfc->sha256);
      lh_hmac_key_free(key);
    }
  }
}

static void test_pieces_are_the_message_wherever_it_is_cut(void **state) {
  (void)state;
  unsigned char message[300], expected[LH_HMAC_MAX], tag[LH_HMAC_MAX];
  for (size_t i = 0; i < sizeof message; i++) message[i] = (unsigned char)(i * 7);
  struct lh_hmac_key *key = key_of(LH_SHA512, "secret", 6);
  struct lh_piece whole = {message, sizeof message};
  assert_int_equal(lh_hmac_tag(key, &whole, 1, expected), 64);
  for (size_t cut = 0; cut <= sizeof message; cut++) {
    struct lh_piece pieces[] = {{message, cut}, {NULL, 0}, {message + cut, sizeof message - cut}};
    assert_int_equal(lh_hmac_tag(key, pieces, 3, tag), 64);
    assert_memory_equal(tag, expected, 64);
  }
  lh_hmac_key_free(key);
}

static void test_a_key_signs_the_same_after_a_thousand_messages(void **state) {
  (void)state;
  unsigned char first[LH_HMAC_MAX], tag[LH_HMAC_MAX];
  struct lh_hmac_key *key = key_of(LH_SHA512, "secret", 6);
  struct lh_piece message = {"message", 7};
  lh_hmac_tag(key, &message, 1, first);
  for (int i = 0; i < 1000; i++) {
    struct lh_piece other = {&i, sizeof i};
    lh_hmac_tag(key, &other, 1, tag);
  }
  lh_hmac_tag(key, &message, 1, tag);
  assert_memory_equal(tag, first, 64);
  lh_hmac_key_free(key);
}

/* Keys of one block, one byte less and one more take different ways. */
static void test_key_lengths_around_the_block(void **state) {
  (void)state;
  static const struct {
    enum lh_hash hash;
    size_t len;
    const char *tag; /* by another implementation */
  } lengths[] = {
      {LH_SHA256, 63, "e458f5dd7e8afee6b774e5d451ae43f4d268bf11646030143d0b0231dcb02383"},
      {LH_SHA256, 64, "3b7a8d453e76edb519238a515105a57508d0f169f480ebeee120a9e7803289fa"},
      {LH_SHA256, 65, "c2d7d4c2256ddb097409ec0c67e1d58fa1a007fc6932cac0d892a525d08af7cc"},
      {LH_SHA512, 127,
       "c47e9f971dd26ebe2586b0a19e40bc64f127cbb226aaadc339b87fe76c3b549b"
       "ddb2f7e9d3cfea185917e3fdbb708272d554227891e561d4e7516de4cd69dcf6"},
      {LH_SHA512, 128,
       "9592ecd80ce4ede3e27656eda4ba50730bb9f3220571039ccd3970f290c3aed4"
       "5ae9ec0522d64471f8628a1a57e686d758a1881724e54a67a9f8868d425caa02"},
      {LH_SHA512, 129,
       "1a960aeb80731a01e1b88da7d4379138aed9e5778f86ca8d9b1fce9d1f5dea33"
       "ac12e8ff60126388cbbd55eae65f426e0aa2a3bbda1a5fc589f61c00a21fbc98"},
  };
  unsigned char secret[129], tags[2][LH_HMAC_MAX];
  memset(secret, 'k', sizeof secret);
  struct lh_piece message = {"m", 1};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    struct lh_hmac_key *key = key_of(lengths[i].hash, secret, lengths[i].len);
    assert_tag(tags[0], lh_hmac_tag(key, &message, 1, tags[0]), lengths[i].tag);
    lh_hmac_key_free(key);
  }
  /* a zero byte more in a short key is the same block: HMAC's own rule, not ours */
  unsigned char padded[] = {'k', 0};
  struct lh_hmac_key *plain = key_of(LH_SHA512, padded, 1);
  struct lh_hmac_key *longer = key_of(LH_SHA512, padded, 2);
  lh_hmac_tag(plain, &message, 1, tags[0]);
  lh_hmac_tag(longer, &message, 1, tags[1]);
  assert_memory_equal(tags[0], tags[1], 64);
  lh_hmac_key_free(plain);
  lh_hmac_key_free(longer);
}

static void test_an_empty_secret_is_refused(void **state) {
  (void)state;
  struct lh_hmac_key *key = NULL;
  struct lh_error err;
  assert_int_equal(lh_hmac_key_new(LH_SHA512, "", 0, &key, &err), LH_E_SECRET_INVALID);
  assert_string_equal(err.message, "secret: is empty");
  assert_null(key);
  assert_int_equal(lh_hmac_key_new(LH_SHA256, NULL, 0, &key, NULL), LH_E_SECRET_INVALID);
  lh_hmac_key_free(NULL);
}

static void test_equal_sees_every_byte(void **state) {
  (void)state;
  unsigned char a[64] = {0}, b[64] = {0};
  assert_true(lh_hmac_equal(a, b, sizeof a));
  for (size_t i = 0; i < sizeof b; i++) {
    b[i] ^= 0x80;
    assert_false(lh_hmac_equal(a, b, sizeof a));
    b[i] = 0;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc_4231),
      cmocka_unit_test(test_pieces_are_the_message_wherever_it_is_cut),
      cmocka_unit_test(test_a_key_signs_the_same_after_a_thousand_messages),
      cmocka_unit_test(test_key_lengths_around_the_block),
      cmocka_unit_test(test_an_empty_secret_is_refused),
      cmocka_unit_test(test_equal_sees_every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
