/*
** The two places where an exchange can be refused before its request leaves:
** when a socket is about to be opened (so nothing is even probed), and when
** the request is about to be sent, which is also asked on a connection that
** is used again and then is the only check (the socket is already open).
** Which addresses are refused is decided in core/address.h.
*/
#include "transport/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int lh_guard_shortage(int number) {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM ||
         number == EAGAIN;
}

/* From bytes in network order; an IPv4 address in IPv6 clothes is taken for what it is. */
static void address_set(struct lh_address *address, int family, const void *bytes) {
  static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  *address = (struct lh_address){.family = family};
  if (family == 6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
    address->family = 4;
    memcpy(address->bytes, (const unsigned char *)bytes + sizeof mapped, 4);
    return;
  }
  memcpy(address->bytes, bytes, family == 6 ? 16 : 4);
}

int lh_guard_parse(const char *ip, struct lh_address *address) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, ip, bytes) == 1) {
    address_set(address, 4, bytes);
    return 1;
  }
  if (inet_pton(AF_INET6, ip, bytes) == 1) {
    address_set(address, 6, bytes);
    return 1;
  }
  return 0;
}

static int sockaddr_read(const struct curl_sockaddr *from, struct lh_address *address) {
  if (from->family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, &from->addr, sizeof v4);
    address_set(address, 4, &v4.sin_addr);
    return 1;
  }
  if (from->family == AF_INET6 && from->addrlen >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 v6;
    /* libcurl keeps every address in a buffer that is large enough; addrlen says so */
    memcpy(&v6, (const void *)&from->addr, sizeof v6);
    address_set(address, 6, &v6.sin6_addr);
    return 1;
  }
  return 0;
}

void lh_guard_explain(char *out, size_t out_cap, const char *ip, const char *refused) {
  int loopback = strncmp(ip, "127.", 4) == 0;
  snprintf(out, out_cap,
           "address %s is %s; allow it with allow_networks (LOYALHOOK_ALLOW_NETWORKS=%s%s)", ip,
           refused, loopback ? "127.0.0.0" : ip,
           loopback          ? "/8"
           : strchr(ip, ':') ? "/128"
                             : "/32");
}

/* 1 if the exchange must not talk to this address; its error then says why. */
static int refuses(struct lh_exchange *exchange, const struct lh_address *address) {
  const struct lh_curl *owner = exchange->owner;
  const char *refused = lh_address_refused(address, owner->networks, owner->network_count);
  if (!refused) return 0;
  char ip[INET6_ADDRSTRLEN] = "?";
  (void)inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, ip, sizeof ip);
  exchange->stop = LH_STOP_ADDRESS;
  lh_guard_explain(exchange->error, sizeof exchange->error, ip, refused);
  return 1;
}

static int refuse_unknown(struct lh_exchange *exchange) {
  exchange->stop = LH_STOP_ADDRESS;
  snprintf(exchange->error, sizeof exchange->error, "address is of an unknown kind");
  return 1;
}

curl_socket_t lh_guard_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address) {
  struct lh_exchange *exchange = self;
  struct lh_address peer;
  (void)purpose;
  if (!exchange->exempt) {
    int known = sockaddr_read(address, &peer);
    if (known ? refuses(exchange, &peer) : refuse_unknown(exchange)) return CURL_SOCKET_BAD;
  }
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) {
    if (lh_guard_shortage(errno)) exchange->socket_errno = errno;
    return CURL_SOCKET_BAD; /* libcurl goes on with the next address */
  }
  exchange->socket_family = address->family;
  return fd;
}

int lh_guard_request(void *self, char *peer, char *local, int peer_port, int local_port) {
  struct lh_exchange *exchange = self;
  struct lh_address address;
  (void)local;
  (void)peer_port;
  (void)local_port;
  if (exchange->sends > 0) {
    exchange->stop = LH_STOP_RESEND;
    return CURL_PREREQFUNC_ABORT;
  }
  if (!exchange->exempt) {
    int known = lh_guard_parse(peer, &address);
    if (known ? refuses(exchange, &address) : refuse_unknown(exchange))
      return CURL_PREREQFUNC_ABORT;
  }
  exchange->sends++;
  return CURL_PREREQFUNC_OK;
}
