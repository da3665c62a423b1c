/* libcurl's memory in tests: one allocation can be made to fail, and what it holds is counted. */
#ifndef LH_SPEC_CURL_MEMORY_H
#define LH_SPEC_CURL_MEMORY_H

/* Before anything else of libcurl. */
void curl_memory_begin(void);
/* So many allocations from now on work, then one fails, then all work again. -1: none fails. */
void curl_memory_fail_after(long count);
/* 1 if that one has failed. */
int curl_memory_failed(void);
long curl_memory_held(void);

#endif
