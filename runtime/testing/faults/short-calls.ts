// A library before the system's own that lets every third read and write of a file in a folder do the half of what it was asked
// for, as the system may at any time. Made by the machine's C compiler; where there is none, nothing can be had of it.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "./tools.ts";

const text = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_uint calls;

static size_t half(int file, size_t size) {
  char link[32], path[4096];
  const char *folder = getenv("WEIR_SHORT_FOLDER");
  if (folder == NULL || size < 2) return size;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path);
  size_t begin = strlen(folder);
  if (length < (ssize_t)begin || strncmp(path, folder, begin) != 0) return size;
  if (atomic_fetch_add(&calls, 1) % 3 != 2) return size;
  int mark = open(getenv("WEIR_SHORT_MARK"), O_CREAT | O_WRONLY, 0600);
  if (mark >= 0) close(mark);
  return size / 2;
}

#define SHORTENED(name, parameters, given) \\
  ssize_t name parameters { \\
    static ssize_t (*next) parameters; \\
    if (next == NULL) next = dlsym(RTLD_NEXT, #name); \\
    size = half(file, size); \\
    return next given; \\
  }

SHORTENED(read, (int file, void *bytes, size_t size), (file, bytes, size))
SHORTENED(write, (int file, const void *bytes, size_t size), (file, bytes, size))
SHORTENED(pread64, (int file, void *bytes, size_t size, off64_t at), (file, bytes, size, at))
SHORTENED(pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
`;

export interface ShortCalls {
  readonly environment: Readonly<Record<string, string>>;
  /** A call was shortened. */
  hasStruck(): boolean;
}

/** For a process that works in `folder`; made in another one. */
export function shortCalls(made: string, folder: string): ShortCalls {
  const [source, library, mark] = ["short.c", "short.so", "short-struck"].map((name) => join(made, name));
  writeFileSync(source!, text);
  runTool("cc", "-shared", "-fPIC", "-O1", "-o", library!, source!, "-ldl");
  return {
    environment: { LD_PRELOAD: library!, WEIR_SHORT_FOLDER: folder, WEIR_SHORT_MARK: mark! },
    hasStruck: () => existsSync(mark!),
  };
}
