/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message ids and statuses of the wire protocol, expanded from protocol/protocol.def. The texts of
 * the statuses stay on the host, which reads the same file.
 */
#ifndef SQM_STATUS_H
#define SQM_STATUS_H

#define SQM_MESSAGE(name, id) SQM_MESSAGE_##name = (id),
typedef enum {
#include "protocol/protocol.def"
} sqm_message;

#define SQM_STATUS(name, value, text) SQM_##name = (value),
typedef enum {
#include "protocol/protocol.def"
} sqm_status;

/** Set in the id of every reply. */
#define SQM_REPLY_BIT 0x80

/** What HELLO reports; the host refuses any other. */
#define SQM_PROTOCOL_VERSION 3

#endif
