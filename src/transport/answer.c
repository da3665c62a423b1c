/*
** What comes back. Of the headers, the status line, Retry-After and the
** framing matter; of the body, the first bytes are kept as a log (of a call's,
** call.c keeps all). Everything
** is bounded here, because libcurl's own limits are wide (300 KiB of headers)
** or have holes (MAXFILESIZE does not see chunked bodies).
*/
#include "transport/exchange.h"

#include <string.h>
#include <strings.h>

#define RETRY_AFTER_MS_MAX INT64_C(0x80000000)

int lh_answer_uploaded(const struct lh_exchange *exchange) {
  curl_off_t sent = -1;
  return curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK &&
         sent == exchange->body_len;
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" → 200; 0 for any other version or form. */
static int status_parse(const char *line, size_t len) {
  static const char prefix[] = "HTTP/1.";
  const size_t at = sizeof prefix - 1;
  if (len < at + 6 || memcmp(line, prefix, at) != 0) return 0;
  const char *rest = line + at;
  if ((rest[0] != '0' && rest[0] != '1') || rest[1] != ' ') return 0;
  if (!is_digit(rest[2]) || !is_digit(rest[3]) || !is_digit(rest[4])) return 0;
  if (rest[5] != ' ' && rest[5] != '\r' && rest[5] != '\n') return 0;
  int status = (rest[2] - '0') * 100 + (rest[3] - '0') * 10 + (rest[4] - '0');
  return status >= 100 ? status : 0;
}

/* The value of the header `name` (lower case, with its colon) without blanks around it, or NULL. */
static const char *value_of(const char *line, size_t len, const char *name, size_t *value_len) {
  size_t name_len = strlen(name);
  if (len < name_len || strncasecmp(line, name, name_len) != 0) return NULL;
  const char *from = line + name_len;
  const char *to = line + len;
  while (from < to && (*from == ' ' || *from == '\t')) from++;
  while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r' || to[-1] == '\n')) to--;
  *value_len = (size_t)(to - from);
  return from;
}

static int64_t seconds_parse(const char *value, size_t len) {
  int64_t ms = 0;
  for (size_t i = 0; i < len; i++) {
    if (!is_digit(value[i])) return 0;
    ms = ms * 10 + (int64_t)(value[i] - '0') * 1000;
    if (ms > RETRY_AFTER_MS_MAX) ms = RETRY_AFTER_MS_MAX;
  }
  return ms;
}

/* Seconds, or an HTTP date (which begins with the name of a day). */
static int64_t retry_after_parse(const char *value, size_t len, const struct lh_clock *clock) {
  char date[64];
  if (len == 0 || len >= sizeof date) return len ? seconds_parse(value, len) : 0;
  if (is_digit(value[0])) return seconds_parse(value, len);
  if (!strchr("MTWFSmtwfs", value[0])) return 0;
  memcpy(date, value, len);
  date[len] = '\0';
  time_t then = curl_getdate(date, NULL);
  if (then < 0) return 0;
  int64_t ms = (int64_t)then * 1000 - clock->wall_ms(clock->self);
  if (ms < 0) return 0;
  return ms > RETRY_AFTER_MS_MAX ? RETRY_AFTER_MS_MAX : ms;
}

static void header_read(struct lh_exchange *exchange, const char *line, size_t len) {
  struct lh_answer *answer = &exchange->answer;
  const struct lh_clock *clock = exchange->owner->clock;
  size_t value_len;
  const char *value;
  switch (line[0]) {
  case 'C':
  case 'c':
    if (value_of(line, len, "content-length:", &value_len) && answer->lengths++) answer->odd = 1;
    break;
  case 'T':
  case 't':
    if (value_of(line, len, "transfer-encoding:", &value_len) && answer->encodings++)
      answer->odd = 1;
    break;
  case 'R':
  case 'r':
    value = value_of(line, len, "retry-after:", &value_len);
    if (value && !answer->retry_after_ms)
      answer->retry_after_ms = retry_after_parse(value, value_len, clock);
    break;
  case ' ': /* a folded header could hide any of the above */
  case '\t':
    answer->odd = 1;
    break;
  default:
    break;
  }
}

/* The empty line: of a 1xx more follows, except after 101, which libcurl takes for the end too. */
static int headers_end(struct lh_exchange *exchange) {
  struct lh_answer *answer = &exchange->answer;
  if (answer->status < 200 && answer->status != 101) {
    answer->status = 0;
    return 1;
  }
  exchange->answered = 1;
  if (!exchange->call) exchange->owner->answered_count++;
  if (answer->odd || (answer->lengths && answer->encodings)) {
    /* where this answer ends is a matter of opinion, so no other may follow it */
    return curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
  }
  return 1;
}

/* Returning 0 makes libcurl end the transfer and close the connection. */
size_t lh_answer_header(char *line, size_t size, size_t count, void *self) {
  struct lh_exchange *exchange = self;
  size_t len = size * count;
  exchange->header_bytes += len;
  if (exchange->header_bytes > LH_RESPONSE_HEADER_BYTES) {
    exchange->stop = LH_STOP_HEADER_FLOOD;
    return 0;
  }
  if (exchange->answered || len == 0) return len; /* a trailer */
  if (exchange->answer.status == 0) {
    exchange->answer = (struct lh_answer){.status = status_parse(line, len)};
    if (exchange->call) lh_call_answer_begin(exchange);
    if (exchange->answer.status) return len;
    exchange->stop = LH_STOP_STATUS_LINE;
    return 0;
  }
  if (line[0] == '\r' || line[0] == '\n') return headers_end(exchange) ? len : 0;
  header_read(exchange, line, len);
  if (exchange->call && !lh_call_header(exchange, line, len)) {
    exchange->stop = LH_STOP_MEMORY;
    return 0;
  }
  return len;
}

/* An echo comes while the request still goes out: its length is let pass on top. */
size_t lh_answer_body(char *bytes, size_t size, size_t count, void *self) {
  struct lh_exchange *exchange = self;
  size_t len = size * count;
  if (exchange->call) return lh_call_body(exchange, bytes, len);
  size_t room = sizeof exchange->response - exchange->response_len;
  size_t kept = len < room ? len : room;
  memcpy(exchange->response + exchange->response_len, bytes, kept);
  exchange->response_len += kept;
  exchange->read_bytes += (int64_t)len;
  if (exchange->read_bytes <= LH_RESPONSE_READ_BYTES) return len;
  if (exchange->read_bytes <= LH_RESPONSE_READ_BYTES + exchange->body_len &&
      !lh_answer_uploaded(exchange))
    return len;
  exchange->stop = LH_STOP_ANSWER_READ;
  return 0;
}
