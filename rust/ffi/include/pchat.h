/* PersistentChatFailover: the C ABI.
 *
 * Order of parameters: the handle acted on, inputs, outputs, the error.
 *
 * Status: every function returns PCHAT_OK (0), or PCHAT_ERROR (1) with an error document in `*error`; only
 * pchat_operation_next also returns PCHAT_TIMEOUT (2) and PCHAT_END (3). Outputs are set to NULL or 0 on entry and
 * filled only on success. `error` itself may be NULL where the caller does not want the text.
 *
 * Ownership: documents that come out belong to the caller until pchat_document_free. What goes in is copied during the
 * call. Each handle from an open or start function is closed once by its close function. Handles are numbers: a closed
 * or foreign one is an ordinary error (1004). 0 is never a handle.
 *
 * Documents: UTF-8 JSON, pointer and length, no closing NUL. Requests carry "version": 1 and every member, null where
 * there is no value; unknown members are refused. LSNs are strings of digits; times are UTC.
 *
 * Operations: a start function returns at once. Then call pchat_operation_next in a loop. Events are objects with the
 * member "event": "progress", "message", "item", "question", "native", and exactly one terminal event, "result" or
 * "failure"; after it comes PCHAT_END. "question" and "native" carry an "id", which pchat_operation_answer repeats:
 *   {"id": 7, "kind": "confirm", "yes": true}
 *   {"id": 8, "kind": "native", "outcome": {"state": "completed", "module": "Lync", "stand_in": false,
 *            "objects": [{"PoolState": "Normal"}], "error": null, "error_id": null}}
 * At most one question is open. A cancel answers it with no.
 *
 * Threads: every function may be called from any thread. One thread at a time waits in pchat_operation_next of one
 * operation. The library never calls its host, and installs no signal handler.
 *
 * Cancel and close: after pchat_operation_cancel no new effect starts, and the events go on to the terminal one.
 * pchat_operation_close on a running operation cancels and detaches it and never blocks; a RESTORE that was sent is
 * awaited by the library's own worker.
 *
 * Panics never leave the library: they become error 9001. The library must not be unloaded. */


#ifndef PCHAT_H
#define PCHAT_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this ABI. A caller built for another one must not go on.
 */
#define PCHAT_ABI_VERSION 1

/**
 * The call did what its name says.
 */
#define PCHAT_OK 0

/**
 * The call failed; the error document says how.
 */
#define PCHAT_ERROR 1

/**
 * No event came within the limit. Not an error.
 */
#define PCHAT_TIMEOUT 2

/**
 * The terminal event has been taken; no further one will come.
 */
#define PCHAT_END 3

/**
 * The longest document that is read, in bytes.
 */
#define PCHAT_MAX_DOCUMENT_BYTES ((64 * 1024) * 1024)

/**
 * A document handed out. Read it with `pchat_document_data`, free it with `pchat_document_free`.
 */
typedef struct PchatDocument PchatDocument;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the ABI, to be asked before anything else. Cannot fail.
 */
uint32_t pchat_abi_version(void);

/**
 * Describes the library: release, ABI, target.
 *
 * # Safety
 * `document` and `error` are NULL or point to a place for one pointer.
 */
int32_t pchat_library_version(PchatDocument **document, PchatDocument **error);

/**
 * Refuses a caller of another release.
 *
 * # Errors
 * `LibraryMismatch` (1006).
 *
 * # Safety
 * `assembly_version` points to `length` readable bytes; `error` is NULL or points to a place for one pointer.
 */
int32_t pchat_handshake(const uint8_t *assembly_version,
                        size_t length,
                        PchatDocument **error);

/**
 * Opens a session from its settings. It connects to nothing yet. Close it with `pchat_session_close`.
 *
 * # Safety
 * `settings` points to `length` readable bytes; `session` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_session_open(const uint8_t *settings,
                           size_t length,
                           uint64_t *session,
                           PchatDocument **error);

/**
 * Adds a SQL login: for one instance, or with `instance` NULL for all that have none of their own. The secret is
 * copied; the caller wipes its own bytes.
 *
 * # Safety
 * Each pointer but `instance` points to as many readable bytes as its length says; `error` as everywhere.
 */
int32_t pchat_session_login_add(uint64_t session,
                                const uint8_t *instance,
                                size_t instance_length,
                                const uint8_t *user,
                                size_t user_length,
                                const uint8_t *secret,
                                size_t secret_length,
                                PchatDocument **error);

/**
 * Closes a session. Operations that still run keep what they need and end by themselves.
 *
 * # Safety
 * `error` is NULL or points to a place for one pointer.
 */
int32_t pchat_session_close(uint64_t session, PchatDocument **error);

/**
 * Reads the log shipping record, the database's state, its redo point and the jobs. Items `log_shipping`; result `count`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_shipping_get(uint64_t session,
                               const uint8_t *request,
                               size_t length,
                               uint64_t *operation,
                               PchatDocument **error);

/**
 * Captures, stops the jobs and removes log shipping on the secondary. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_shipping_remove(uint64_t session,
                                  const uint8_t *request,
                                  size_t length,
                                  uint64_t *operation,
                                  PchatDocument **error);

/**
 * Lists every known log backup with its LSNs and status. Items `log_backup`; result `log_chain`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_backup_list(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

/**
 * Copies the log backups that are missing in the copy folder. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_backup_copy(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

/**
 * Restores the log backups that are needed, in LSN order, `WITH NORECOVERY`. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_backup_restore(uint64_t session,
                                 const uint8_t *request,
                                 size_t length,
                                 uint64_t *operation,
                                 PchatDocument **error);

/**
 * Lists the sessions in the database. Items `connection`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_connection_list(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

/**
 * Ends the sessions in the database and bars new ones. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_connection_end(uint64_t session,
                             const uint8_t *request,
                             size_t length,
                             uint64_t *operation,
                             PchatDocument **error);

/**
 * Reads the database's state and redo point. Items `database_state`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_database_state(uint64_t session,
                             const uint8_t *request,
                             size_t length,
                             uint64_t *operation,
                             PchatDocument **error);

/**
 * The gate, then recovery: online for good. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_database_recover(uint64_t session,
                               const uint8_t *request,
                               size_t length,
                               uint64_t *operation,
                               PchatDocument **error);

/**
 * The preflight's named checks. Items `check`; result `plan`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_failover_check(uint64_t session,
                             const uint8_t *request,
                             size_t length,
                             uint64_t *operation,
                             PchatDocument **error);

/**
 * Makes the plan of a failover. Result `plan`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_failover_plan(uint64_t session,
                            const uint8_t *request,
                            size_t length,
                            uint64_t *operation,
                            PchatDocument **error);

/**
 * Makes the plan of a planned switch. Result `plan`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_planned_switch_plan(uint64_t session,
                                  const uint8_t *request,
                                  size_t length,
                                  uint64_t *operation,
                                  PchatDocument **error);

/**
 * Makes the plan of a failback. Result `plan`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_failback_plan(uint64_t session,
                            const uint8_t *request,
                            size_t length,
                            uint64_t *operation,
                            PchatDocument **error);

/**
 * Runs the plan that was shown and confirmed. Items `step`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_run_start(uint64_t session,
                        const uint8_t *request,
                        size_t length,
                        uint64_t *operation,
                        PchatDocument **error);

/**
 * Finishes a run that was cut off. Items `step`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_run_resume(uint64_t session,
                         const uint8_t *request,
                         size_t length,
                         uint64_t *operation,
                         PchatDocument **error);

/**
 * Gives up a run while log shipping is still there. Items `step`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_run_undo(uint64_t session,
                       const uint8_t *request,
                       size_t length,
                       uint64_t *operation,
                       PchatDocument **error);

/**
 * Lists the runs of a journal folder, or one with its steps. Items `run`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_run_list(uint64_t session,
                       const uint8_t *request,
                       size_t length,
                       uint64_t *operation,
                       PchatDocument **error);

/**
 * Waits for the operation's next event: `PCHAT_OK` with an event, `PCHAT_TIMEOUT` without one, `PCHAT_END` after the
 * terminal one. One thread may wait at a time.
 *
 * # Safety
 * `event` and `error` are NULL or point to a place for one pointer.
 */
int32_t pchat_operation_next(uint64_t operation,
                             uint32_t timeout_ms,
                             PchatDocument **event,
                             PchatDocument **error);

/**
 * Answers the question that is open.
 *
 * # Safety
 * `answer` points to `length` readable bytes; `error` is NULL or points to a place for one pointer.
 */
int32_t pchat_operation_answer(uint64_t operation,
                               const uint8_t *answer,
                               size_t length,
                               PchatDocument **error);

/**
 * Asks the operation to stop: no new effect starts, and the events go on until the terminal one. From any thread.
 *
 * # Safety
 * `error` is NULL or points to a place for one pointer.
 */
int32_t pchat_operation_cancel(uint64_t operation,
                               PchatDocument **error);

/**
 * Closes the operation. One that still runs is cancelled and detached; the call never blocks.
 *
 * # Safety
 * `error` is NULL or points to a place for one pointer.
 */
int32_t pchat_operation_close(uint64_t operation, PchatDocument **error);

/**
 * The bytes of a document: UTF-8 JSON without a closing NUL, valid until the document is freed.
 *
 * # Safety
 * `document` came from this library and was not freed; `data`, `length` and `error` are NULL or point to a place for
 * one value.
 */
int32_t pchat_document_data(const PchatDocument *document,
                            const uint8_t **data,
                            size_t *length,
                            PchatDocument **error);

/**
 * Frees a document, an error document among them. NULL is fine.
 *
 * # Safety
 * `document` is NULL, or came from this library and was not freed yet.
 */
void pchat_document_free(PchatDocument *document);

/**
 * Takes a full, log or tail backup into a new file and verifies it. Items `action` and `backup`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_database_backup(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

/**
 * Verifies a full backup and restores it WITH NORECOVERY, never over what only the copy there holds. Items `action`; result
 * `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_database_restore(uint64_t session,
                               const uint8_t *request,
                               size_t length,
                               uint64_t *operation,
                               PchatDocument **error);

/**
 * Sets log shipping up between two instances whose databases fit already. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_log_shipping_add(uint64_t session,
                               const uint8_t *request,
                               size_t length,
                               uint64_t *operation,
                               PchatDocument **error);

/**
 * Reads database mirroring as one partner sees it. Items `mirror`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_mirror_get(uint64_t session,
                         const uint8_t *request,
                         size_t length,
                         uint64_t *operation,
                         PchatDocument **error);

/**
 * Ends mirroring of a database on one partner. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_mirror_remove(uint64_t session,
                            const uint8_t *request,
                            size_t length,
                            uint64_t *operation,
                            PchatDocument **error);

/**
 * Keeps an old primary and its mirror from waking up as a second one. Items `action`; result `run`.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_primary_disable(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

/**
 * Saves the configuration of all four instances and the pool as a file. Items `baseline`; result `count`. Changes no
 * instance.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_baseline_save(uint64_t session,
                            const uint8_t *request,
                            size_t length,
                            uint64_t *operation,
                            PchatDocument **error);

/**
 * Reads baselines from files and compares them. Items `baseline`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_baseline_get(uint64_t session,
                           const uint8_t *request,
                           size_t length,
                           uint64_t *operation,
                           PchatDocument **error);

/**
 * Waits until the backup service of two paired pools has settled, as far as its words can be believed. Items
 * `backup_service_module`; result `count`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_backup_service_wait(uint64_t session,
                                  const uint8_t *request,
                                  size_t length,
                                  uint64_t *operation,
                                  PchatDocument **error);

/**
 * Finds what a failover needs to know of a pool out of the pool's own object. Result `pool_topology`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_pool_find(uint64_t session,
                        const uint8_t *request,
                        size_t length,
                        uint64_t *operation,
                        PchatDocument **error);

/**
 * Makes the plan of a restore of conference content. Result `plan`. Reads only.
 *
 * # Safety
 * `request` points to `length` readable bytes; `operation` and `error` are NULL or point to a place for one value.
 */
int32_t pchat_conference_plan(uint64_t session,
                              const uint8_t *request,
                              size_t length,
                              uint64_t *operation,
                              PchatDocument **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PCHAT_H */
