/**
 * Runs work that SIGINT and SIGTERM end early: they abort the signal it is given. A second one kills as usual. What the
 * work throws because of the abort is not an error; then `null` comes back.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const controller = new AbortController()
  const interrupt = () => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    controller.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    return await work(controller.signal)
  } catch (error) {
    if (controller.signal.aborted && isAbort(error)) return null
    throw error
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function isAbort(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'ABORTED' || code === 'ABORT_ERR'
}
