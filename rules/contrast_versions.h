/*
 * rules/contrast_versions.h - octets that came to one place in two versions;
 * private to contrast*.c.
 */
#ifndef RULES_CONTRAST_VERSIONS_H
#define RULES_CONTRAST_VERSIONS_H

#include "contrast.h"

/*
 * What a FACT_COPIES_DIFFER among `facts` says of what is between two places
 * if only one of them has it; DIFFERENCES: nothing, and so of other facts. A
 * copy with a wrong checksum is what damage makes as well, unless it begins and
 * ends with the very word, or line, that asks for TLS or offers it.
 */
enum difference_code
difference_of_versions(const struct told *, struct slice facts);
/* Do `facts` have two versions of some of these octets? */
bool has_versions(struct slice facts, const struct fact *at);

#endif
