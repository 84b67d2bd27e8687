/** Gives the event loop back now and then in the course of a request with many elements. */
export interface Pace {
  /** To be asked for each element that was handled, or for several; true where others should have their turn now. */
  isDue(elements?: number): boolean
  /** Resolves when there is a turn for the next elements. */
  next(): Promise<void>
}

/** Who sends a request, how, and until when they care. Made once per connection (or in-process client) and API. */
export interface RequestContext {
  /** Version of the API the request was written for; in-process: the newest stable one (`apis[key].request.lastStable`). */
  readonly apiVersion: number
  readonly clientId: string | null
  readonly clientHost: string
  /** The address at which the client reached this broker; absent in-process. */
  readonly localAddress?: string
  /** Listener's name; `INTERNAL` in-process. */
  readonly listener: string
  /** `User:name`. */
  readonly principal: string
  readonly connectionId: string
  /**
   * Ends the waiting of a request early: a fetch is answered with what is there, a member that waits for others to join
   * has not joined.
   */
  readonly signal?: AbortSignal
  /**
   * Batches in this request were made by our own encoder in this process: they come without a CRC (it is computed
   * while they are copied into the log) and are not walked again. Sizes and limits are checked all the same.
   */
  readonly trusted: boolean
  /** Records in the answer may be file regions, which the receiver releases; without it they are bytes in memory. */
  readonly regions?: boolean
  /** Of an answer with regions: how many bytes of records it may hold in memory all the same (default: no limit). */
  readonly copiedBytes?: number
  /**
   * Given with a request of many elements, where others may not have to wait until all of them are handled. Nothing else
   * that came over its connection is handled meanwhile.
   */
  readonly pace?: Pace
  /** Makes of the request one of many elements, where there is more to do than its length shows. */
  takeTurns?(): Pace
}
