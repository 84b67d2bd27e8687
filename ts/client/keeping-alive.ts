const longestTimerMs = 0x7fff_ffff

/** Work that somebody waits for, and that nothing else may keep the process alive for: it is not to end before. */
export async function keepingAlive<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, longestTimerMs)
  try {
    return await work
  } finally {
    clearInterval(alive)
  }
}
