/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of the protocol: takes requests off the UART, runs the model, answers.
 */
#ifndef SQM_PROTOCOL_SERVER_H
#define SQM_PROTOCOL_SERVER_H

#include <stdbool.h>

/**
 * Wait for one frame and answer it. Damaged frames are dropped without an answer: the host asks
 * again, and every request may come twice.
 *
 * @return false iff the stream has ended, which happens on a host only.
 */
bool sqm_server_poll(void);

#endif
