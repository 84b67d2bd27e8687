/** What a waiting fetch watches. */
export interface Watched {
  /** Bytes that became visible since the partition was opened; only grows. */
  readonly appendedBytes: number
  /** Told by the partition when an append became visible. */
  readonly waiting: Set<WaitingFetch>
  /** It is gone: nothing will be appended any more. */
  readonly closed?: boolean
}

/** A fetch that found less than it wants. */
export interface FetchWait {
  readonly partitions: readonly Watched[]
  /** `appendedBytes` of all partitions before they were read: what was appended since then counts. */
  readonly startBytes: number
  /** How many more bytes make the fetch worth answering, over all its partitions. */
  readonly missingBytes: number
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

/** setTimeout fires at once for anything longer. */
const waitMsMax = 0x7fff_ffff
const waitingMax = 100_000

/**
 * Fetches that wait for appends, each no longer than its time, its caller's signal and the broker's life. A fetch whose
 * wait is over reads again and answers with what is there. When the room is full, a fetch does not wait.
 */
export class WaitingFetches {
  readonly #all = new Set<WaitingFetch>()
  #closed = false

  get size(): number {
    return this.#all.size
  }

  wait(fetch: FetchWait): Promise<void> {
    if (this.#closed || this.#all.size >= waitingMax) return Promise.resolve()
    const waiting = new WaitingFetch(fetch, this.#all)
    return waiting.done
  }

  /** Ends all waits; later ones end at once. */
  close(): void {
    this.#closed = true
    for (const fetch of this.#all) fetch.finish()
  }
}

/** The waits of one connection. Listeners of a signal cost 0.5 us to come and go, so each has one, for all that waits. */
const waitsBySignal = new WeakMap<AbortSignal, Set<WaitingFetch>>()

function waitsOf(signal: AbortSignal): Set<WaitingFetch> {
  const known = waitsBySignal.get(signal)
  if (known !== undefined) return known
  const waits = new Set<WaitingFetch>()
  waitsBySignal.set(signal, waits)
  signal.addEventListener('abort', () => waits.forEach(finishOne), { once: true })
  return waits
}

function finishOne(fetch: WaitingFetch): void {
  fetch.finish()
}

export class WaitingFetch {
  readonly done: Promise<void>
  readonly #fetch: FetchWait
  readonly #all: Set<WaitingFetch>
  readonly #waits: Set<WaitingFetch> | null
  readonly #timer: NodeJS.Timeout
  #missingBytes: number
  #resolve!: () => void

  constructor(fetch: FetchWait, all: Set<WaitingFetch>) {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#fetch = fetch
    this.#all = all
    this.#timer = setTimeout(this.finish, Math.min(fetch.waitMs, waitMsMax))
    all.add(this)
    for (const partition of fetch.partitions) partition.waiting.add(this)
    this.#waits = fetch.signal === undefined ? null : waitsOf(fetch.signal)
    this.#waits?.add(this)
    this.#missingBytes = fetch.missingBytes
    if (fetch.signal?.aborted || fetch.partitions.some(isClosed)) this.finish()
    else this.onAppend(appendedBytes(fetch.partitions) - fetch.startBytes)
  }

  /** So many bytes became visible in one of its partitions. */
  onAppend(bytes: number): void {
    this.#missingBytes -= bytes
    if (this.#missingBytes <= 0) this.finish()
  }

  /** Ends the wait now. Idempotent. */
  readonly finish = (): void => {
    clearTimeout(this.#timer)
    this.#waits?.delete(this)
    this.#all.delete(this)
    for (const partition of this.#fetch.partitions) partition.waiting.delete(this)
    this.#resolve()
  }
}

function isClosed({ closed }: Watched): boolean {
  return closed === true
}

function appendedBytes(partitions: readonly Watched[]): number {
  let sum = 0
  for (const partition of partitions) sum += partition.appendedBytes
  return sum
}
