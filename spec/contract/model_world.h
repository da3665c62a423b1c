/*
** What the files of test_model.c share: the world that random steps are made in, and the steps
** themselves, by who makes them. Each does something to the store and tells the model.
*/
#ifndef SPEC_CONTRACT_MODEL_WORLD_H
#define SPEC_CONTRACT_MODEL_WORLD_H

#include "spec/contract/model.h"

#define MODEL_STEPS 260

extern struct model model;
extern struct fake_clock fake;
extern struct lh_store *handles[MODEL_HANDLES];
extern int64_t sessions[MODEL_HANDLES];
extern struct lh_error why; /* of the last call */
extern char folder[64];     /* of the store's files */

int64_t below(int64_t bound);
int one_in(int64_t of);

/* ---- model_faults.c: memory, a disk or a worker that fails after a while ---- */

/* Before SQLite is used at all. */
void make_memory_scarce(void);
void let_fail(void); /* until let_be */
void let_be(void);
extern int faulty; /* this step may fail */
int visitor_fails(void);
/* 1: done. 0: it failed as it may, and must have changed nothing. */
int done(int code, const char *what);

/* ---- model_operators.c ---- */

void emit(void);
void create(void);
void edit(void);
void change_status(void);
void set_status(struct model_webhook *webhook, enum lh_status status);
void rotate(void);
void retry_some(void);
void make_job(void);
void resume(void);
void step_job(void);
void check_jobs(void); /* that ended in this step */

/* ---- model_workers.c ---- */

/* Records up to `ends` results, all of this kind (-1: any), and takes up to `slots` leases. */
void turn(int ends, size_t slots, int kind, int form_all);
/* A worker is gone, with what it had in flight; another one takes its place. */
void crash(int handle);
void lease_mail(void);
void record_mail(int verdict); /* -1: any */
void forget_mails(void);

#endif
