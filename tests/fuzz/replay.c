/*
 * Runs a fuzz target over the files of a folder, without libFuzzer: every
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

int
main(int argc, char **argv)
{
	char path[4096];
	int replayed = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (dir == NULL) {
		fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", argv[0]);
		return 2;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		if (replay_file(path) != 0)
			return 1;
		replayed++;
	}
	closedir(dir);
	printf("%d seeds replayed\n", replayed);
	return replayed == 0;
}
