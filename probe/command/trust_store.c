#include "trust_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "options.h"

/* While certificates are added. */
struct loading {
	X509_STORE *store;
	EVP_MD_CTX *digest;
	unsigned count;
};

static void
add_certificate(struct loading *l, X509 *x509)
{
	unsigned char *der = NULL;
	int length = i2d_X509(x509, &der);

	if (length > 0 && X509_STORE_add_cert(l->store, x509) == 1) {
		EVP_DigestUpdate(l->digest, der, (size_t)length);
		l->count++;
	}
	OPENSSL_free(der);
}

static int
add_file(struct loading *l, const char *path)
{
	FILE *in = fopen(path, "r");
	X509 *x509;

	if (in == NULL)
		return -1;
	while ((x509 = PEM_read_X509(in, NULL, NULL, NULL)) != NULL) {
		add_certificate(l, x509);
		X509_free(x509);
	}
	ERR_clear_error(); /* the last one was the file's end */
	fclose(in);
	return 0;
}

static int
is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
add_folder(struct loading *l, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_file, alphasort);

	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		add_file(l, name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count < 0 ? -1 : 0;
}

static int
add_path(struct loading *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	return S_ISDIR(st.st_mode) ? add_folder(l, path) : add_file(l, path);
}

static void
add_system(struct loading *l)
{
	const char *const places[] = { getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		X509_get_default_cert_file() };

	for (size_t i = 0;
	     i < sizeof(places) / sizeof(*places) && l->count == 0; i++)
		if (places[i] != NULL)
			add_path(l, places[i]);
}

static void
take_digest(struct loading *l, char out[17])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(l->digest, digest, NULL) == 1)
		for (int i = 0; i < 8; i++)
			snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* Takes what was added, if anything was. */
static void
finish(struct loading *l, struct judge_trust *out)
{
	if (l->count > 0) {
		take_digest(l, out->digest);
		out->store = l->store;
		l->store = NULL;
	}
	X509_STORE_free(l->store);
	EVP_MD_CTX_free(l->digest);
}

static bool
begin(struct loading *l)
{
	*l = (struct loading){ X509_STORE_new(), EVP_MD_CTX_new(), 0 };
	return l->store != NULL && l->digest != NULL &&
	    EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL) == 1;
}

static void
load_system(struct judge_trust *out)
{
	struct loading l;

	if (begin(&l))
		add_system(&l);
	finish(&l, out);
}

int
trust_store_load(const char *path, struct judge_trust *out)
{
	struct loading l;
	int status;

	*out = (struct judge_trust){ .load = load_system };
	if (path == NULL)
		return 0;
	out->load = NULL;
	status = begin(&l) ? add_path(&l, path) : -1;
	if (status != 0)
		complain("read: --trust: %s: %s", path, strerror(errno));
	else if (l.count == 0)
		complain("read: --trust: %s: holds no certificate; PEM files "
			 "can be read",
		    path);
	finish(&l, out);
	return out->store == NULL ? -1 : 0;
}

void
trust_store_free(struct judge_trust *trust)
{
	X509_STORE_free(trust->store);
	trust->store = NULL;
}
