/* Certificates for tests; see the header. */
#include "certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

int certificates_begin(void) {
  strcpy(folder, "/tmp/lh-tls-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

int certificates_end(void) {
  certificates_run("rm -f ./*");
  return rmdir(folder);
}

void certificates_file(char *out, size_t out_cap, const char *name, const char *extension) {
  snprintf(out, out_cap, "%s/%s%s", folder, name, extension);
}

void certificates_run(const char *script) {
  int status = -1;
  pid_t pid = fork();
  if (pid == 0) {
    if (chdir(folder) != 0) _exit(126);
    unsetenv("SSLKEYLOGFILE");
    execlp("sh", "sh", "-ec", script, (char *)NULL);
    _exit(127);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (status != 0) fail_msg("openssl: status %d of %s", status, script);
}

void certificates_authority(const char *name) {
  char script[512];
  snprintf(script, sizeof script,
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key "
           "-out %s.pem -subj /CN=%s -days 2 -addext subjectAltName=IP:127.0.0.1 2> %s.log",
           name, name, name, name);
  certificates_run(script);
}

void certificates_make(const char *name, const char *issuer, const char *names, int days) {
  char script[1024];
  snprintf(script, sizeof script,
           "{ openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key "
           "-out %s.csr -subj /CN=%s; echo 'subjectAltName=%s' > %s.ext; "
           "openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days %d "
           "-extfile %s.ext -out %s.pem; } 2> %s.log",
           name, name, name, names, name, name, issuer, issuer, days, name, name, name);
  certificates_run(script);
}

int certificates_begin_usual(void) {
  if (certificates_begin()) return -1;
  certificates_authority("ca");
  certificates_authority("self");
  certificates_make("good", "ca", "IP:127.0.0.1", 2);
  certificates_make("wrong", "ca", "DNS:example.com", 2);
  certificates_make("expired", "ca", "IP:127.0.0.1", -1);
  return 0;
}
