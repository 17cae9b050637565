#include "case_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zip.h>

#include "options.h"
#include "probe/output/digest.h"

#define MANIFEST "SHA256SUMS"
#define PATH_BYTES 1200

static void
end_file(struct case_files *f)
{
	struct case_file *last = f->count > 0 ? &f->list[f->count - 1] : NULL;

	if (last != NULL && last->open != NULL) {
		fclose(last->open);
		last->open = NULL;
	}
}

FILE *
case_file(struct case_files *f, const char *name)
{
	struct case_file *file;

	end_file(f);
	if (f->count == CASE_FILES_MAX)
		return NULL;
	file = &f->list[f->count];
	file->name = name;
	file->open = open_memstream(&file->text, &file->length);
	f->count += file->open != NULL;
	return file->open;
}

void
case_files_free(struct case_files *f)
{
	end_file(f);
	for (unsigned i = 0; i < f->count; i++)
		free(f->list[i].text);
	f->count = 0;
}

/* As sha256sum writes it, and reads it with -c. */
static int
add_manifest(struct case_files *f)
{
	unsigned count = f->count;
	FILE *out = case_file(f, MANIFEST);
	char digest[DIGEST_TEXT_BYTES];

	if (out == NULL)
		return -1;
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s  %s\n",
		    digest_text(slice_of(f->list[i].text, f->list[i].length),
			digest),
		    f->list[i].name);
	end_file(f);
	return 0;
}

static int
write_whole(const char *path, const struct case_file *file)
{
	FILE *out = fopen(path, "wbx");
	bool written;

	if (out == NULL)
		return -1;
	written = fwrite(file->text, 1, file->length, out) == file->length;
	return fclose(out) == 0 && written ? 0 : -1;
}

static void
remove_folder(const struct case_files *f, const char *folder)
{
	char path[PATH_BYTES + 100];

	for (unsigned i = 0; i < f->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, f->list[i].name);
		unlink(path);
	}
	rmdir(folder);
}

static int
write_folder(const struct case_files *f, const char *part)
{
	char path[PATH_BYTES + 100];

	if (mkdir(part, 0777) != 0)
		return -1;
	for (unsigned i = 0; i < f->count; i++) {
		snprintf(path, sizeof(path), "%s/%s", part, f->list[i].name);
		if (write_whole(path, &f->list[i]) != 0) {
			int fault = errno;

			remove_folder(f, part);
			errno = fault;
			return -1;
		}
	}
	return 0;
}

/* Within a folder called as the archive, for who unpacks it somewhere. */
static int
write_zip(const struct case_files *f, const char *part, const char *path)
{
	const char *base = strrchr(path, '/');
	int fault, stem;
	zip_t *zip = zip_open(part, ZIP_CREATE | ZIP_EXCL, &fault);
	char name[PATH_BYTES + 100];

	base = base == NULL ? path : base + 1;
	stem = (int)strlen(base);
	if (stem > 4 && strcmp(base + stem - 4, ".zip") == 0)
		stem -= 4;
	if (zip == NULL)
		return -1;
	for (unsigned i = 0; i < f->count; i++) {
		zip_source_t *source = zip_source_buffer(zip, f->list[i].text,
		    f->list[i].length, 0);

		snprintf(name, sizeof(name), "%.*s/%s", stem, base,
		    f->list[i].name);
		if (source == NULL ||
		    zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8) < 0) {
			zip_source_free(source);
			zip_discard(zip);
			return -1;
		}
	}
	if (zip_close(zip) == 0)
		return 0;
	zip_discard(zip);
	return -1;
}

int
case_files_write(struct case_files *f, const char *path, bool zip)
{
	char part[PATH_BYTES + 8];
	struct stat status;

	if (add_manifest(f) != 0) {
		complain("out of memory");
		return -1;
	}
	if (strlen(path) >= PATH_BYTES) {
		complain("%.60s...: too long a name", path);
		return -1;
	}
	if (lstat(path, &status) == 0) {
		complain("%s: is there already; --out another name", path);
		return -1;
	}
	snprintf(part, sizeof(part), "%s.part", path);
	errno = 0;
	if ((zip ? write_zip(f, part, path) : write_folder(f, part)) == 0 &&
	    rename(part, path) == 0)
		return 0;
	complain("%s: %s", path,
	    errno == EEXIST ? "an unfinished one of this name lies there" :
		errno != 0  ? strerror(errno) :
			      "could not be written");
	return -1;
}
