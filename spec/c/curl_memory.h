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
/*
** Runs `one` with each allocation failing in turn, until it has said three times that none was left
** to fail (`untouched`), and counts what it says. It makes curl_memory_fail_after(number) itself,
** and must leave nothing behind.
*/
void curl_memory_try_each(int (*one)(long number), int untouched, int counts[]);

#endif
