/*
 * probe/command/report.h - the reports, each a command of its own.
 */
#ifndef PROBE_COMMAND_REPORT_H
#define PROBE_COMMAND_REPORT_H

int report_case(int argc, char **argv);
int report_html(int argc, char **argv);
int report_tlsrpt(int argc, char **argv);

#endif
