import type { ResponseSender, SenderOwner } from './response-sender.js'

/** One request as it came, without the length in front: views of what came, in order. */
export interface Frame {
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  /** Memory of its own that is given back when it is done with; without, the garbage collector sees to it. */
  readonly block?: ArrayBuffer
}

/** What came over a wire and was not taken yet. */
export interface IncomingFrames {
  /** Bytes that came and were not taken, those of a request that is not whole and those of lengths among them. */
  readonly bytes: number
  /** The first bytes that were not taken, four or more if they are there. */
  head(): Uint8Array
  /** API key of the next request; -1 while it is not known. */
  peekKey(): number
  /** The next whole request, null while it is not there. Throws MALFORMED_MESSAGE for a length that cannot be one. */
  next(): Frame | null
  /** A request is answered, or will not be: its bytes are not looked at any more. To be called once for each. */
  done(frame: Frame): void
  /** Forgets what was not taken; answers how many bytes that were. */
  clear(): number
  /** Lets go of memory that little of a request keeps alive, where its rest is long in coming. */
  compact(): void
}

/** What a wire tells the connection that it is the wire of; never from within a call of that connection. */
export interface WireOwner extends SenderOwner {
  /** So many bytes have come. */
  onReceived(bytes: number): void
  /** The other end sends no more. */
  onEnded(): void
  /** The other end is lost; `onClosed` follows. */
  onLost(error: Error): void
  /** The last that is told. */
  onClosed(): void
}

/** One connected socket: what comes over it as requests, and answers going out. It is read from until it is paused. */
export interface Wire {
  /** Address of the other end; empty where it has gone already. */
  readonly clientHost: string
  /** The address at which it reached this server. */
  readonly localAddress: string
  /** Bytes of records that an answer may hold in memory; those above are given as file regions. */
  readonly copiedBytes: number
  readonly frames: IncomingFrames
  readonly sender: ResponseSender
  /** `end` was called. */
  readonly isEnded: boolean
  /** Closed from either end, or lost: `onClosed` was told or will be. */
  readonly isDestroyed: boolean
  /** Reads no more; the loss of the connection may be noticed nevertheless. */
  pause(): void
  resume(): void
  /** Closes this end behind what was sent. When the other one is closed too, the wire is. */
  end(): void
  /** Closes at once; what was not sent is dropped. */
  destroy(): void
}
