/*
** URLs of webhooks, calls and mail servers. libcurl's own parser decides what a
** URL means, since the same parser reads it again when sending: two parsers
** would disagree about some URL, and the disagreement is where requests are
** smuggled through. Forms that parsers are known to read differently are
** refused outright.
*/
#include "transport/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int characters_check(const char *url, size_t len_max, struct lh_error *err) {
  size_t len = strlen(url);
  if (len > len_max) return lh_error_set(err, LH_E_INVALID, "url: over %zu bytes", len_max);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)url[i];
    if (c > ' ' && c < 0x7f && c != '\\') continue;
    return lh_error_set(err, LH_E_INVALID,
                        "url: character %zu is a blank, a backslash, a control character or not "
                        "ASCII (percent-encode it; a host name goes in its xn-- form)",
                        i + 1);
  }
  if (strchr(url, '#')) return lh_error_set(err, LH_E_INVALID, "url: must not have a fragment (#)");
  return 0;
}

int lh_url_inspect(const char *url, size_t len_max, int *https, struct lh_error *err) {
  int rc = characters_check(url, len_max, err);
  if (rc) return rc;
  *https = strncasecmp(url, "https://", 8) == 0;
  if (!*https && strncasecmp(url, "http://", 7) != 0)
    return lh_error_set(err, LH_E_INVALID, "url: must begin with https://");
  const char *authority = strstr(url, "://") + 3;
  size_t len = strcspn(authority, "/?");
  if (len == 0 || authority[0] == ':') return lh_error_set(err, LH_E_INVALID, "url: has no host");
  if (memchr(authority, '@', len))
    return lh_error_set(err, LH_E_INVALID, "url: must not contain a user name or password");
  if (memchr(authority, '%', len))
    return lh_error_set(err, LH_E_INVALID, "url: must not have a %% in its host");
  return 0;
}

static int port_check(CURLU *parts, struct lh_error *err) {
  char *port = NULL;
  if (curl_url_get(parts, CURLUPART_PORT, &port, 0) != CURLUE_OK) return 0; /* none given */
  int zero = strspn(port, "0") == strlen(port);
  curl_free(port);
  return zero ? lh_error_set(err, LH_E_INVALID, "url: port is 0") : 0;
}

int lh_url_check_mail(const char *url, struct lh_error *err) {
  int rc = characters_check(url, LH_URL_MAX, err);
  if (rc) return rc;
  int smtps = strncasecmp(url, "smtps://", 8) == 0;
  if (!smtps && strncasecmp(url, "smtp://", 7) != 0)
    return lh_error_set(err, LH_E_INVALID, "url: must begin with smtp:// or smtps://");
  const char *host = url + (smtps ? 8 : 7);
  if (strpbrk(host, "@/?%"))
    return lh_error_set(err, LH_E_INVALID,
                        "url: only a host and perhaps a port, like smtp://mail.example.com:587");
  CURLU *parts = curl_url();
  if (!parts) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER);
  if (code == CURLUE_OUT_OF_MEMORY)
    rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  else if (code)
    rc = lh_error_set(err, LH_E_INVALID, "url: %s", curl_url_strerror(code));
  if (!rc) rc = port_check(parts, err);
  curl_url_cleanup(parts);
  return rc;
}

/* Puts the host in lower case and refuses one that is an address the guard would refuse. */
static int host_check(CURLU *parts, const struct lh_transport_options *options,
                      struct lh_error *err) {
  char *host = NULL;
  CURLUcode code = curl_url_get(parts, CURLUPART_HOST, &host, 0);
  if (code == CURLUE_OUT_OF_MEMORY) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  if (code || !*host) {
    curl_free(host);
    return lh_error_set(err, LH_E_INVALID, "url: has no host");
  }
  size_t len = strlen(host);
  for (size_t i = 0; i < len; i++)
    if (host[i] >= 'A' && host[i] <= 'Z') host[i] = (char)(host[i] - 'A' + 'a');
  code = curl_url_set(parts, CURLUPART_HOST, host, 0);
  int rc = code ? lh_error_set(err, LH_E_INVALID, "url: host is malformed") : 0;

  struct lh_address address;
  if (host[0] == '[' && host[len - 1] == ']') {
    host[len - 1] = '\0';
    memmove(host, host + 1, len - 1);
  }
  const char *refused = NULL;
  if (!rc && lh_guard_parse(host, &address))
    refused = lh_address_refused(&address, options->networks, options->network_count);
  if (refused) {
    char text[LH_EXCHANGE_ERROR_MAX];
    lh_guard_explain(text, sizeof text, host, refused);
    rc = lh_error_set(err, LH_E_INVALID, "url: %s", text);
  }
  curl_free(host);
  return rc;
}

static int parts_write(CURLU *parts, char *out, size_t out_cap, struct lh_error *err) {
  char *url = NULL;
  CURLUcode code = curl_url_get(parts, CURLUPART_URL, &url, CURLU_NO_DEFAULT_PORT);
  if (code) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  size_t len = strlen(url);
  int fits = len < out_cap && len <= LH_URL_MAX;
  if (fits) memcpy(out, url, len + 1);
  curl_free(url);
  return fits ? 0 : lh_error_set(err, LH_E_INVALID, "url: over %d bytes", LH_URL_MAX);
}

int lh_url_check(const char *url, const struct lh_transport_options *options, char *out,
                 size_t out_cap, struct lh_error *err) {
  int https;
  int rc = lh_url_inspect(url, LH_URL_MAX, &https, err);
  if (rc) return rc;
  if (!https && !options->allow_http)
    return lh_error_set(err, LH_E_INVALID, "url: %s", LH_URL_PLAIN);
  CURLU *parts = curl_url();
  if (!parts) return lh_error_set(err, LH_E_MEMORY, "out of memory");
  CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER);
  if (code == CURLUE_OUT_OF_MEMORY)
    rc = lh_error_set(err, LH_E_MEMORY, "out of memory");
  else if (code)
    rc = lh_error_set(err, LH_E_INVALID, "url: %s", curl_url_strerror(code));
  if (!rc) rc = host_check(parts, options, err);
  if (!rc) rc = port_check(parts, err);
  if (!rc) rc = parts_write(parts, out, out_cap, err);
  curl_url_cleanup(parts);
  return rc;
}
