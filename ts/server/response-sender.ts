import type { Part } from '../protocol/codec/frames.js'

/** What a sender tells the connection that it sends for. */
export interface SenderOwner {
  /** Everything taken was handed to the system, and there is room for more. */
  onSent(): void
  /** A file region could not be read. The answer's length is promised, so the connection cannot go on. */
  onSendFailed(error: unknown): void
}

/**
 * Sends the answers of one connection, in the order in which it is given them. This is where a native transfer can take
 * the place of copying: everything else only knows parts.
 */
export interface ResponseSender {
  /** Takes the parts over. File regions are released once they are sent, or will never be. */
  send(parts: readonly Part[]): void
  /** Bytes passed on to the socket; only grows, and shows that the other end takes them. */
  readonly sentBytes: number
  /** Parts wait for the other end to take what went before: no more should be given. `onSent` says when that is over. */
  readonly isBlocked: boolean
  /** Nothing waits here; what was handed to the socket may still wait there. */
  readonly isIdle: boolean
  /** Bytes wait here or in the socket for the other end to take them. */
  readonly isSending: boolean
  /** Gives up what waits. */
  close(): void
}
