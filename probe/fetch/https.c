#include "https.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "reachable.h"
#include "rules/sts_policy.h"

#define CONNECT_SECONDS 10L
#define HEADERS_MAX_BYTES 65536u

struct https {
	struct https_options options;
	CURLM *multi;
	bool trust_is_folder;
};

struct https_get {
	struct https *https;
	CURL *easy;
	struct curl_slist *resolve;
	https_fn *fn;
	void *context;
	char host[256];
	size_t header_bytes, length;
	bool too_long, refused;
	char error[CURL_ERROR_SIZE];
	uint8_t body[STS_BODY_MAX_BYTES];
};

struct https *
https_create(const struct https_options *o, char errbuf[HTTPS_ERRBUF])
{
	struct https *https = calloc(1, sizeof(*https));
	struct stat trust;

	snprintf(errbuf, HTTPS_ERRBUF, "out of memory");
	if (https == NULL)
		return NULL;
	https->options = *o;
	if (o->trust != NULL && stat(o->trust, &trust) != 0) {
		snprintf(errbuf, HTTPS_ERRBUF, "%.200s: cannot be read",
		    o->trust);
		free(https);
		return NULL;
	}
	https->trust_is_folder = o->trust != NULL && S_ISDIR(trust.st_mode);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
		https->multi = curl_multi_init();
	if (https->multi == NULL) {
		free(https);
		return NULL;
	}
	return https;
}

void
https_destroy(struct https *https)
{
	if (https == NULL)
		return;
	curl_multi_cleanup(https->multi);
	curl_global_cleanup();
	free(https);
}

/* --- what curl asks ------------------------------------------------------ */

/* What is said of a body's length is not believed: what comes is counted. */
static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct https_get *get = context;
	size_t n = size * count;

	if (n > sizeof(get->body) - get->length) {
		get->too_long = true;
		return 0;
	}
	memcpy(get->body + get->length, bytes, n);
	get->length += n;
	return n;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct https_get *get = context;

	(void)bytes;
	get->header_bytes += size * count;
	if (get->header_bytes <= HEADERS_MAX_BYTES)
		return size * count;
	get->too_long = true;
	return 0;
}

static bool
address_of(const struct sockaddr *from, struct address *out)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	memset(out, 0, sizeof(*out));
	if (from->sa_family == AF_INET) {
		out->family = 4;
		memcpy(out->octets, &v4->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		out->family = 6;
		memcpy(out->octets, &v6->sin6_addr, 16);
	}
	return out->family != 0;
}

/* The last look before a connection, whatever came before it. */
static curl_socket_t
on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct https_get *get = context;
	struct address address;

	(void)purpose;
	if (!address_of(&to->addr, &address) ||
	    (!get->https->options.private_addresses &&
		!address_is_public(&address))) {
		get->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* curl itself takes a CN where there is no SAN; RFC 8461 3.3 does not. */
static CURLcode
on_ssl(CURL *easy, void *ssl, void *context)
{
	struct https_get *get = context;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl);

	(void)easy;
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, get->host, 0) == 1 ?
	    CURLE_OK :
	    CURLE_SSL_CERTPROBLEM;
}

/* --- a GET --------------------------------------------------------------- */

/* "+host:port:192.0.2.1,[2001:db8::1]": nothing is looked up again. */
static bool
set_addresses(struct https_get *get, const struct address *addresses,
    size_t count)
{
	char line[1024], text[ADDRESS_TEXT_BYTES];
	int n = snprintf(line, sizeof(line), "%s:%u:", get->host,
	    get->https->options.port);

	for (size_t i = 0; i < count && i < HTTPS_ADDRESSES_MAX; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
		    addresses[i].family == 6 ? "%s[%s]" : "%s%s",
		    i > 0 ? "," : "", address_format(&addresses[i], text));
	get->resolve = curl_slist_append(NULL, line);
	return get->resolve != NULL &&
	    curl_easy_setopt(get->easy, CURLOPT_RESOLVE, get->resolve) ==
	    CURLE_OK;
}

static bool
set_security(struct https_get *get)
{
	const struct https *https = get->https;
	CURL *easy = get->easy;
	CURLcode failed = CURLE_OK;

	failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	failed |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, get);
	if (https->options.trust != NULL) {
		/* The system's roots are not asked beside it. */
		failed |= curl_easy_setopt(easy, CURLOPT_CAINFO,
		    https->trust_is_folder ? NULL : https->options.trust);
		failed |= curl_easy_setopt(easy, CURLOPT_CAPATH,
		    https->trust_is_folder ? https->options.trust : NULL);
	}
	failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	failed |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	failed |=
	    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	failed |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, get);
	return failed == CURLE_OK;
}

static bool
set_request(struct https_get *get, const char *path)
{
	CURL *easy = get->easy;
	CURLcode failed = CURLE_OK;
	char url[512];

	snprintf(url, sizeof(url), "https://%s:%u%s", get->host,
	    get->https->options.port, path);
	failed |= curl_easy_setopt(easy, CURLOPT_URL, url);
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	failed |=
	    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	failed |= curl_easy_setopt(easy, CURLOPT_TIMEOUT,
	    (long)get->https->options.seconds);
	failed |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT,
	    "striplight/" STRIPLIGHT_VERSION);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, get);
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, get);
	failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, get->error);
	failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, get);
	return failed == CURLE_OK;
}

static void
free_get(struct https_get *get)
{
	if (get->easy != NULL)
		curl_easy_cleanup(get->easy);
	curl_slist_free_all(get->resolve);
	free(get);
}

struct https_get *
https_get(struct https *https, const char *host, const char *path,
    const struct address *addresses, size_t count, https_fn *fn, void *context)
{
	struct https_get *get = calloc(1, sizeof(*get));

	if (get == NULL)
		return NULL;
	get->https = https;
	get->fn = fn;
	get->context = context;
	snprintf(get->host, sizeof(get->host), "%s", host);
	get->easy = curl_easy_init();
	if (get->easy != NULL && set_addresses(get, addresses, count) &&
	    set_security(get) && set_request(get, path) &&
	    curl_multi_add_handle(https->multi, get->easy) == CURLM_OK)
		return get;
	free_get(get);
	return NULL;
}

void
https_cancel(struct https *https, struct https_get *get)
{
	curl_multi_remove_handle(https->multi, get->easy);
	free_get(get);
}

/* --- answers ------------------------------------------------------------- */

static void
say_certificate(const struct https_get *get, struct https_answer *answer)
{
	long code = 0;

	answer->result = TLS_STS_WEBPKI_INVALID;
	curl_easy_getinfo(get->easy, CURLINFO_SSL_VERIFYRESULT, &code);
	snprintf(answer->why, sizeof(answer->why),
	    "the certificate of %.80s: %.90s", get->host,
	    code != X509_V_OK ? X509_verify_cert_error_string(code) :
				get->error);
}

static void
say_transfer(const struct https_get *get, CURLcode code,
    struct https_answer *answer)
{
	if (code == CURLE_PEER_FAILED_VERIFICATION) {
		say_certificate(get, answer);
		return;
	}
	answer->result = TLS_STS_POLICY_FETCH_ERROR;
	if (get->too_long)
		snprintf(answer->why, sizeof(answer->why),
		    "the answer is over 64 KiB (RFC 8461 3.3)");
	else if (get->refused)
		snprintf(answer->why, sizeof(answer->why),
		    "%.160s has no public address", get->host);
	else
		snprintf(answer->why, sizeof(answer->why), "%.180s",
		    get->error[0] != '\0' ? get->error :
					    curl_easy_strerror(code));
}

static void
say_response(const struct https_get *get, struct https_answer *answer)
{
	struct curl_header *coding = NULL;
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(get->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(get->easy, CURLINFO_CONTENT_TYPE, &type);
	answer->result = TLS_STS_POLICY_FETCH_ERROR;
	if (status >= 300 && status < 400)
		snprintf(answer->why, sizeof(answer->why),
		    "HTTP status %ld: redirects are not followed (RFC 8461 "
		    "3.3)",
		    status);
	else if (status != 200)
		snprintf(answer->why, sizeof(answer->why),
		    "HTTP status %ld, not 200", status);
	else if (curl_easy_header(get->easy, "Content-Encoding", 0,
		     CURLH_HEADER, -1, &coding) == CURLHE_OK)
		snprintf(answer->why, sizeof(answer->why),
		    "Content-Encoding: %.40s, which nobody asked for",
		    coding->value);
	else
		answer->result = TLS_RESULT_NONE;
	answer->body = slice_of(get->body, get->length);
	answer->media_type_ok = type == NULL ||
	    sts_content_type_ok(slice_str(type));
	if (type != NULL)
		snprintf(answer->media_type, sizeof(answer->media_type), "%s",
		    type);
}

static void
finish(struct https *https, CURL *easy, CURLcode code)
{
	struct https_answer answer = { .result = TLS_RESULT_NONE };
	struct https_get *get = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&get);
	if (code != CURLE_OK)
		say_transfer(get, code, &answer);
	else
		say_response(get, &answer);
	curl_multi_remove_handle(https->multi, easy);
	get->fn(get->context, &answer);
	free_get(get);
}

void
https_wait(struct https *https, int other, int milliseconds)
{
	struct curl_waitfd wait = { .fd = other, .events = CURL_WAIT_POLLIN };

	curl_multi_poll(https->multi, &wait, 1, milliseconds, NULL);
}

void
https_process(struct https *https)
{
	CURLMsg *message;
	int running, left;

	curl_multi_perform(https->multi, &running);
	while ((message = curl_multi_info_read(https->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			finish(https, message->easy_handle,
			    message->data.result);
}
