/*
 * Runs a fuzz target over the files of folders, without libFuzzer: every
 * seed and every crash that was ever found stays a regression test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20), *exact;
	size_t len;

	if (f == NULL || bytes == NULL) {
		perror(path);
		return -1;
	}
	len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	exact = malloc(len ? len : 1); /* so that ASan sees the very end */
	if (exact == NULL)
		return -1;
	memcpy(exact, bytes, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	free(bytes);
	return 0;
}

/* How many; -1: a file could not be read. */
static int
replay_folder(const char *folder)
{
	char path[4096];
	int replayed = 0;
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		perror(folder);
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.' || e->d_type == DT_DIR)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (replay_file(path) != 0) {
			replayed = -1;
			break;
		}
		replayed++;
	}
	closedir(dir);
	return replayed;
}

int
main(int argc, char **argv)
{
	int replayed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-SEEDS ...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		if (count < 0)
			return 1;
		replayed += count;
	}
	printf("%d seeds replayed\n", replayed);
	return replayed == 0;
}
