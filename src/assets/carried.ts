// What a standalone binary carries inside. The source tree carries nothing: its files lie where they are.
// scripts/build.ts replaces this module with one that knows the binary's own files.

/**
 * The path of a file that the binary carries, unpacked into the cache folder at its first use; undefined where there
 * is none of this name. `name` is its path in the source tree.
 */
export async function carried(_name: string, _cacheDir: string): Promise<string | undefined> {
  return undefined;
}
