import type { Socket } from 'node:net'
import { SeglogError } from '../errors/seglog-error.js'
import { isPromise } from '../log/maybe-promise.js'
import type { Part } from '../protocol/codec/frames.js'
import { type FileRegion, isFileRegion } from '../protocol/file-region.js'
import type { ResponseSender, SenderOwner } from './response-sender.js'
import type { SendingRoom } from './sending-room.js'

/**
 * Sends by `socket.write`. What is sent within one turn of the event loop leaves in one system call. A region is read when
 * its turn has come, so that a slow reader costs one piece of memory and not the answer's.
 */
export class CopyingSender implements ResponseSender {
  readonly #socket: Socket
  readonly #owner: SenderOwner
  readonly #room: SendingRoom
  readonly #queue: Part[] = []
  /** Bytes passed on to the socket; only grows. */
  sentBytes = 0
  /** Bytes of the first region that were passed on. */
  #sent = 0
  #isReading = false
  #isClosed = false
  /** Counted among those whose other end is slow. */
  #isSlow = false

  constructor(socket: Socket, owner: SenderOwner, room: SendingRoom) {
    this.#socket = socket
    this.#owner = owner
    this.#room = room
    socket.on('drain', this.#onDrain)
  }

  get isBlocked(): boolean {
    return this.#queue.length > 0 || this.#socket.writableNeedDrain
  }

  get isIdle(): boolean {
    return this.#queue.length === 0
  }

  get isSending(): boolean {
    return this.#socket.writableLength > 0 || this.#queue.length > 0
  }

  send(parts: readonly Part[]): void {
    if (this.#isClosed) {
      release(parts)
      return
    }
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      process.nextTick(uncork, this.#socket)
    }
    for (const part of parts) {
      if (this.#queue.length === 0 && !isFileRegion(part)) this.#write(part)
      else this.#queue.push(part)
    }
    if (this.#queue.length > 0) this.#advance()
    if (this.#socket.writableNeedDrain) this.#slow(true)
  }

  close(): void {
    this.#isClosed = true
    this.#slow(false)
    release(this.#queue.splice(0))
  }

  readonly #onDrain = (): void => {
    this.#advance()
    if (this.isBlocked) return
    this.#slow(false)
    this.#owner.onSent()
  }

  #slow(isSlow: boolean): void {
    if (isSlow === this.#isSlow) return
    this.#isSlow = isSlow
    this.#room.blocked += isSlow ? 1 : -1
  }

  #advance(): void {
    while (this.#queue.length > 0 && !this.#isReading && !this.#socket.writableNeedDrain) {
      const part = this.#queue[0]!
      if (!isFileRegion(part)) {
        this.#queue.shift()
        this.#write(part)
      } else if (this.#sent === part.length) {
        this.#queue.shift()
        this.#sent = 0
        part.release()
      } else {
        this.#readPiece(part)
      }
    }
  }

  #readPiece(region: FileRegion): void {
    try {
      const bytes = region.read(this.#sent, Math.min(this.#sent + this.#room.pieceBytes, region.length))
      if (isPromise(bytes)) {
        this.#isReading = true
        bytes.then(this.#onRead, this.#onReadFailed)
      } else {
        this.#writePiece(bytes)
      }
    } catch (error) {
      this.#onReadFailed(error)
    }
  }

  #writePiece(bytes: Uint8Array): void {
    if (bytes.length === 0) throw new SeglogError('CORRUPT_LOG', `a file region ends after ${this.#sent} bytes`)
    this.#sent += bytes.length
    this.#write(bytes)
  }

  #write(bytes: Uint8Array): void {
    this.sentBytes += bytes.length
    this.#socket.write(bytes)
  }

  readonly #onRead = (bytes: Uint8Array): void => {
    this.#isReading = false
    if (this.#isClosed) return
    try {
      this.#writePiece(bytes)
    } catch (error) {
      this.#onReadFailed(error)
      return
    }
    this.#advance()
    if (this.isBlocked) return
    this.#slow(false)
    this.#owner.onSent()
  }

  readonly #onReadFailed = (error: unknown): void => {
    this.#isReading = false
    if (this.#isClosed) return
    this.close()
    this.#owner.onSendFailed(error)
  }
}

function uncork(socket: Socket): void {
  socket.uncork()
}

function release(parts: readonly Part[]): void {
  for (const part of parts) if (isFileRegion(part)) part.release()
}
