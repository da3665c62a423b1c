/*
** Signing and verifying against OpenSSL's one-shot HMAC() on the same bytes:
** sign BODY_BYTES TIMES. Chunks of the three alternate, so that whatever else
** runs on the machine hits all alike. libcrypto is loaded at run time: of all
** of loyalhook only this program would need its headers.
*/
#include <dlfcn.h>
#include <string.h>

#include "bench.h"
#include "core/signature.h"

#define CHUNKS 20
#define NONCE "1732551234567"

/* The two functions in question, as OpenSSL has declared them since 1.0. */
typedef unsigned char *(*hmac_function)(const void *kind, const void *key, int key_len,
                                        const unsigned char *at, size_t len, unsigned char *out,
                                        unsigned *out_len);
typedef const void *(*kind_function)(void);

struct subject {
  struct lh_hmac_key *key;
  char *body;
  size_t len;
  char signature[LH_ZINRELO_SIGNATURE_LEN + 1];
  hmac_function hmac;
  const void *sha512;
};

static const char secret[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void load_openssl(struct subject *subject) {
  static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"};
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
    library = dlopen(names[i], RTLD_NOW);
  bench_need(library != NULL, "libcrypto", "OpenSSL's library is not here");
  kind_function sha512;
  /* ISO C knows no way from an object's address to a function's; POSIX promises this one. */
  *(void **)&subject->hmac = dlsym(library, "HMAC");
  *(void **)&sha512 = dlsym(library, "EVP_sha512");
  bench_need(subject->hmac && sha512, "libcrypto", "has no HMAC");
  subject->sha512 = sha512();
}

static int64_t time_sign(struct subject *subject, int times) {
  struct lh_error err;
  int64_t start = bench_now_ns();
  for (int i = 0; i < times; i++)
    bench_need(lh_signature_sign_zinrelo(subject->key, subject->body, subject->len, NONCE,
                                         subject->signature, &err) == LH_OK,
               "sign", err.message);
  return bench_now_ns() - start;
}

static int64_t time_verify(struct subject *subject, int times) {
  struct lh_error err;
  const struct lh_verify verify = {.scheme = LH_SCHEME_ZINRELO,
                                   .nonce = {NONCE, sizeof NONCE - 1},
                                   .signature = {subject->signature, LH_ZINRELO_SIGNATURE_LEN},
                                   .body = subject->body,
                                   .body_len = subject->len,
                                   .now_ms = 1732551234567,
                                   .tolerance_ms = 300000};
  int64_t start = bench_now_ns();
  for (int i = 0; i < times; i++)
    bench_need(lh_signature_verify(&verify, &subject->key, 1, &err) == LH_OK, "verify",
               err.message);
  return bench_now_ns() - start;
}

static int64_t time_openssl(struct subject *subject, int times) {
  unsigned char tag[64];
  unsigned tag_len = 0;
  int64_t start = bench_now_ns();
  for (int i = 0; i < times; i++)
    subject->hmac(subject->sha512, secret, sizeof secret - 1, (unsigned char *)subject->body,
                  subject->len, tag, &tag_len);
  int64_t took = bench_now_ns() - start;
  bench_need(tag_len == sizeof tag, "HMAC", "gave no tag");
  return took;
}

int main(int argc, char **argv) {
  struct subject subject = {0};
  struct lh_error err;
  bench_need(argc == 3, "sign", "usage: sign BODY_BYTES TIMES");
  int times = atoi(argv[2]) / CHUNKS + 1;
  subject.len = (size_t)atol(argv[1]);
  subject.body = malloc(subject.len + 1);
  bench_need(subject.body != NULL && subject.len > 0, "sign", "no body");
  memset(subject.body, 'x', subject.len);
  bench_need(lh_signature_key_new(LH_SCHEME_ZINRELO, secret, sizeof secret - 1, &subject.key,
                                  &err) == LH_OK,
             "key", err.message);
  load_openssl(&subject);
  int64_t sign = 0, verify = 0, openssl = 0;
  for (int i = 0; i < CHUNKS; i++) {
    sign += time_sign(&subject, times);
    openssl += time_openssl(&subject, times);
    verify += time_verify(&subject, times);
  }
  double calls = (double)times * CHUNKS;
  printf("{\"sign\": %.1f, \"verify\": %.1f, \"openssl\": %.1f}\n", (double)sign / calls,
         (double)verify / calls, (double)openssl / calls);
  lh_hmac_key_free(subject.key);
  free(subject.body);
  return 0;
}
