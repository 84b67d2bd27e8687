import { abortedError } from '../client/settle-errors.js'
import { SeglogError } from '../errors/seglog-error.js'

/** Waits between attempts, all of which end when the transport is closed. */
export class Pauses {
  private readonly ends = new Set<(error: SeglogError) => void>()
  private closed: SeglogError | null = null

  /** Resolves after `ms`. Rejects with ABORTED by what the signal says, with CLOSED after `close`. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.closed !== null) return Promise.reject(this.closed)
    if (signal?.aborted) return Promise.reject(abortedError('the call was aborted', signal))
    return new Promise((resolve, reject) => {
      const end = (error?: SeglogError) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.ends.delete(end)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(end, Math.max(0, ms))
      const abort = () => end(abortedError('the call was aborted', signal!))
      signal?.addEventListener('abort', abort, { once: true })
      this.ends.add(end)
    })
  }

  /** As `promise`, but ends like `wait` does when the signal or the end of the transport comes first. */
  until<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.closed !== null) return Promise.reject(this.closed)
    if (signal?.aborted) return Promise.reject(abortedError('the call was aborted', signal))
    return new Promise((resolve, reject) => {
      const end = (settled: () => void) => {
        signal?.removeEventListener('abort', abort)
        this.ends.delete(fail)
        settled()
      }
      const fail = (error: SeglogError) => end(() => reject(error))
      const abort = () => fail(abortedError('the call was aborted', signal!))
      signal?.addEventListener('abort', abort, { once: true })
      this.ends.add(fail)
      promise.then(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
    })
  }

  close(): void {
    this.closed = new SeglogError('CLOSED', 'the connection to the brokers was closed: open it again')
    for (const end of [...this.ends]) end(this.closed)
  }
}
