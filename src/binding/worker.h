/*
** What the files about the worker object share; worker_mail.c adds its methods about mails,
** worker_call.c those about calls, worker_tasks.c those about handlers and their tasks.
*/
#ifndef LH_BINDING_WORKER_H
#define LH_BINDING_WORKER_H

#include "binding/binding.h"
#include "core/limits.h"
#include "engine/engine.h"

/* The engine of the worker at argument 1; NULL after pushing the error (3 values). */
struct lh_engine *lh_worker_engine(lua_State *L);

/* Ends of mails, copied from a report before anything is pushed. */
struct lh_worker_mail_ends {
  struct lh_engine_mail_end ends[LH_MAILS_IN_FLIGHT_MAX];
  char errors[LH_MAILS_IN_FLIGHT_MAX][LH_MAIL_ERROR_MAX];
  size_t count;
};
void lh_worker_copy_mails(const struct lh_engine_report *report, struct lh_worker_mail_ends *ends);
/* Sets field "mails" of the table on top. */
void lh_worker_set_mails(lua_State *L, const struct lh_worker_mail_ends *ends);

/*
** Sets field "calls" of the table on top: takes what ended from *engine, which is NULL once it is
** closed. `count`: what the report said.
*/
void lh_worker_set_calls(lua_State *L, struct lh_engine *const *engine, size_t count);
/* What a cancel answered, 1, 0 or -1: pushes "unsent", "sent" or nil, and returns 1. */
int lh_worker_push_cancelled(lua_State *L, int unsent);

#endif
