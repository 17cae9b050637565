/*
 * probe/output/metrics.h - health as a text file for Prometheus: node_exporter
 * reads it with --collector.textfile.directory.
 *
 * Names begin with striplight_. Every counter of dissect/counters.def is
 * there under its own name ("decoder.pkts": striplight_decoder_pkts_total).
 */
#ifndef PROBE_OUTPUT_METRICS_H
#define PROBE_OUTPUT_METRICS_H

#include <stdio.h>

#include "health.h"

/* The text exposition format, version 0.0.4. */
void metrics_print(FILE *, const struct health *, const struct health_signs *);

#define METRICS_ERRBUF 256
/* Replaces `path` as a whole, by way of a file beside it: who reads it never
 * finds half of one. 0, or -1 with what is wrong. */
int metrics_write(const char *path, const struct health *,
    const struct health_signs *, char errbuf[METRICS_ERRBUF]);

#endif
