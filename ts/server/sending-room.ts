/** Memory that answers may take while their clients are slow to take them, over all connections. */
const roomBytes = 64 * 1024 * 1024
const pieceBytesMax = 256 * 1024
const pieceBytesMin = 16 * 1024

/** Shares the memory for answers among the connections that wait for their other end: the more wait, the less has each. */
export class SendingRoom {
  /** Connections that were given more than the other end has taken so far. */
  blocked = 0

  /** How much of a file one of them may read at once, and an answer hold in memory. */
  get pieceBytes(): number {
    if (this.blocked * pieceBytesMax <= roomBytes) return pieceBytesMax
    return Math.max(pieceBytesMin, Math.floor(roomBytes / this.blocked))
  }
}
