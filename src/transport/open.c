/* Opens the libcurl transport: what this libcurl can do, and what the deployment wants. */
#include "transport/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
** Debian's GnuTLS flavour of libcurl would parse a folder of 290 files for
** every connection (50 ms); a bundle takes a quarter of that.
*/
const char *lh_transport_bundle(void) {
  static const char *const bundles[] = {
      "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Gentoo */
      "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
      "/etc/ssl/ca-bundle.pem",             /* openSUSE */
      "/etc/ssl/cert.pem",                  /* Alpine, BSD */
  };
  for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
    if (access(bundles[i], R_OK) == 0) return bundles[i];
  return NULL;
}

static int options_copy(struct lh_curl *self, const struct lh_transport_options *options,
                        struct lh_error *err) {
  const char *ca_file = options->ca_file;
  if (ca_file && access(ca_file, R_OK) != 0)
    return lh_error_set(err, LH_E_CONFIG, "ca_file: %s cannot be read", ca_file);
  if (!ca_file) ca_file = lh_transport_bundle();
  self->allow_http = options->allow_http;
  self->connections_max =
      options->connections_max ? options->connections_max : LH_CONCURRENCY_DEFAULT;
  if (ca_file) self->ca_file = strdup(ca_file);
  if (options->network_count > 0) {
    self->networks = malloc(options->network_count * sizeof *self->networks);
    if (self->networks) {
      memcpy(self->networks, options->networks, options->network_count * sizeof *self->networks);
      self->network_count = options->network_count;
    }
  }
  if ((ca_file && !self->ca_file) || self->network_count != options->network_count)
    return lh_error_set(err, LH_E_MEMORY, "out of memory");
  return 0;
}

/* GnuTLS writes the keys of every session there, and offers no setting that would stop it. */
static void keys_stay_inside(void) {
  if (getenv("SSLKEYLOGFILE")) (void)unsetenv("SSLKEYLOGFILE");
}

static int library_check(struct lh_error *err) {
  keys_stay_inside();
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return lh_error_set(err, LH_E_MEMORY, "libcurl does not start");
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  if (!(info->features & CURL_VERSION_SSL) || !(info->features & CURL_VERSION_ASYNCHDNS))
    return lh_error_set(err, LH_E_CONFIG, "%s lacks TLS or asynchronous name lookups",
                        curl_version());
  return 0;
}

int lh_transport_curl_open(const struct lh_transport_options *options, const struct lh_clock *clock,
                           struct lh_transport **transport, struct lh_error *err) {
  int rc = library_check(err);
  if (rc) return rc;
  struct lh_curl *self = calloc(1, sizeof *self);
  if (!self) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  self->base.ops = &lh_curl_ops;
  self->clock = clock;
  self->done.tail = &self->done.head;
  rc = options_copy(self, options, err);
  if (!rc && !(self->multi = curl_multi_init()))
    rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  struct lh_exchange *first; /* a libcurl that lacks an option shows it now, not at some event */
  if (!rc) rc = lh_pool_take(self, &first, err);
  if (rc) {
    lh_curl_close(&self->base);
    return rc;
  }
  lh_pool_put(self, first);
  (void)curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
#if LIBCURL_VERSION_NUM >= 0x081400
  (void)curl_multi_setopt(self->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
  *transport = &self->base;
  return 0;
}

const char *lh_transport_version(void) {
  return curl_version();
}
