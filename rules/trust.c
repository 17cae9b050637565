#include "trust.h"

#include <ctype.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

enum { USAGE_TA = 2, USAGE_EE = 3 };

static X509 *
parse(struct slice der)
{
	const unsigned char *p = der.ptr;

	return d2i_X509(NULL, &p, (long)der.len);
}

/* All but the first: what the server sent to help. */
static STACK_OF(X509) * parse_others(const struct slice *chain, unsigned count)
{
	STACK_OF(X509) *others = sk_X509_new_null();

	for (unsigned i = 1; i < count && others != NULL; i++) {
		X509 *x509 = parse(chain[i]);

		if (x509 != NULL && !sk_X509_push(others, x509))
			X509_free(x509);
	}
	return others;
}

/* X509_V_OK or why not. */
static int
verify(X509_STORE *store, X509 *leaf, STACK_OF(X509) * others, int64_t at_s,
    unsigned long flags)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	if (context != NULL &&
	    X509_STORE_CTX_init(context, store, leaf, others) == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

		/* A time that is set counts more than that flag. */
		if (!(flags & X509_V_FLAG_NO_CHECK_TIME))
			X509_VERIFY_PARAM_set_time(param, (time_t)at_s);
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
		X509_VERIFY_PARAM_set_flags(param, flags);
		error = X509_verify_cert(context) == 1 ?
		    X509_V_OK :
		    X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	return error;
}

enum chain_result
trust_verify(X509_STORE *store, const struct slice *chain, unsigned count,
    int64_t at_s)
{
	X509 *leaf = count > 0 ? parse(chain[0]) : NULL;
	STACK_OF(X509) * others;
	enum chain_result result = CHAIN_UNTRUSTED;

	if (leaf == NULL)
		return count > 0 ? CHAIN_DAMAGED : CHAIN_UNKNOWN;
	others = parse_others(chain, count);
	if (verify(store, leaf, others, at_s, 0) == X509_V_OK)
		result = CHAIN_TRUSTED;
	else if (verify(store, leaf, others, at_s, X509_V_FLAG_NO_CHECK_TIME) ==
	    X509_V_OK)
		result = CHAIN_EXPIRED;
	sk_X509_pop_free(others, X509_free);
	X509_free(leaf);
	return result;
}

static bool
names(X509 *x509, const char *host, unsigned flags)
{
	return X509_check_host(x509, host, 0,
		   flags | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

bool
trust_names(struct slice der, const char *host)
{
	X509 *x509 = parse(der);
	bool named = x509 != NULL &&
	    names(x509, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);

	X509_free(x509);
	return named;
}

/* Names come from whoever made the certificate. */
static void
add_text(char *out, size_t room, const char *lead, const ASN1_STRING *text)
{
	const unsigned char *in = ASN1_STRING_get0_data(text);
	size_t n = strlen(out);

	n += (size_t)snprintf(out + n, room - n, "%s", lead);
	for (int i = 0; i < ASN1_STRING_length(text) && n + 1 < room; i++)
		out[n++] = isprint(in[i]) ? (char)in[i] : '?';
	out[n < room ? n : room - 1] = '\0';
}

static void
add_subject(char *out, size_t room, X509 *x509)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at >= 0)
		add_text(out, room, "subject ",
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	else
		snprintf(out, room, "no name at all");
}

#define NAMES_SHOWN 4

char *
trust_describe(struct slice der, char *out, size_t room)
{
	X509 *x509 = parse(der);
	GENERAL_NAMES *list;
	int shown = 0;

	out[0] = '\0';
	if (x509 == NULL)
		return out;
	list = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(list) && shown < NAMES_SHOWN;
	     i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);

		if (name->type == GEN_DNS && strlen(out) + 4 < room)
			add_text(out, room, shown++ > 0 ? ", " : "",
			    name->d.dNSName);
	}
	GENERAL_NAMES_free(list);
	if (shown == 0)
		add_subject(out, room, x509);
	X509_free(x509);
	return out;
}

/* --- TLSA ---------------------------------------------------------------- */

static int
hex_value(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f'    ? c - 'a' + 10 :
				      -1;
}

static bool
take_number(struct slice *in, uint8_t *out)
{
	unsigned value = 0;
	size_t n = 0;

	for (; n < in->len && n < 3 && isdigit(in->ptr[n]); n++)
		value = value * 10 + (in->ptr[n] - (unsigned)'0');
	if (n == 0 || n == in->len || in->ptr[n] != ' ' || value > 255)
		return false;
	*out = (uint8_t)value;
	*in = slice_after(*in, n + 1);
	return true;
}

bool
tlsa_parse(struct slice text, struct tlsa *out)
{
	static const size_t lengths[] = { 0, 32, 64 };

	out->length = 0;
	if (!take_number(&text, &out->usage) ||
	    !take_number(&text, &out->selector) ||
	    !take_number(&text, &out->matching) || text.len % 2 != 0 ||
	    text.len == 0 || text.len / 2 > sizeof(out->data))
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_value(text.ptr[i]);
		int low = hex_value(text.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out->data[out->length++] = (uint8_t)(high << 4 | low);
	}
	return (out->usage == USAGE_TA || out->usage == USAGE_EE) &&
	    out->selector <= 1 && out->matching <= 2 &&
	    (out->matching == 0 || out->length == lengths[out->matching]);
}

/* Is the record of this certificate? */
static bool
is_of(const struct tlsa *tlsa, X509 *x509)
{
	unsigned char *chosen = NULL, digest[EVP_MAX_MD_SIZE];
	int length = tlsa->selector == 0 ?
	    i2d_X509(x509, &chosen) :
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &chosen);
	unsigned bytes = 0;
	bool equal = false;

	if (length < 0)
		return false;
	if (tlsa->matching == 0)
		equal = slice_equal(slice_of(chosen, (size_t)length),
		    slice_of(tlsa->data, tlsa->length));
	else if (EVP_Digest(chosen, (size_t)length, digest, &bytes,
		     tlsa->matching == 1 ? EVP_sha256() : EVP_sha512(),
		     NULL) == 1)
		equal = slice_equal(slice_of(digest, bytes),
		    slice_of(tlsa->data, tlsa->length));
	OPENSSL_free(chosen);
	return equal;
}

/* RFC 7671 5.2: the certificate that the record is of is the anchor. */
static bool
leads_to(X509 *anchor, X509 *leaf, STACK_OF(X509) * others, int64_t at_s)
{
	X509_STORE *store = X509_STORE_new();
	bool leads = store != NULL && X509_STORE_add_cert(store, anchor) == 1 &&
	    verify(store, leaf, others, at_s, X509_V_FLAG_PARTIAL_CHAIN) ==
		X509_V_OK;

	X509_STORE_free(store);
	return leads;
}

/* RFC 7672 3.2.3: the subject's name counts where no dNSName is. */
static bool
has_one_of(X509 *x509, const struct dane_names *wanted)
{
	for (unsigned i = 0; i < wanted->count; i++)
		if (names(x509, wanted->name[i], 0))
			return true;
	return false;
}

bool
tlsa_matches(const struct tlsa *tlsa, const struct slice *chain, unsigned count,
    const struct dane_names *wanted, int64_t at_s)
{
	X509 *leaf = count > 0 ? parse(chain[0]) : NULL;
	STACK_OF(X509) * others;
	bool matches = false;

	if (leaf == NULL)
		return false;
	others = parse_others(chain, count);
	if (tlsa->usage == USAGE_EE)
		matches = is_of(tlsa, leaf);
	for (int i = 0;
	     tlsa->usage == USAGE_TA && !matches && i < sk_X509_num(others);
	     i++) {
		X509 *anchor = sk_X509_value(others, i);

		matches = is_of(tlsa, anchor) && has_one_of(leaf, wanted) &&
		    leads_to(anchor, leaf, others, at_s);
	}
	sk_X509_pop_free(others, X509_free);
	X509_free(leaf);
	return matches;
}
