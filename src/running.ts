// Whether a process is alive: files of one that is not are nobody's.

/** True of a process of this machine that runs, whoever it belongs to. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
