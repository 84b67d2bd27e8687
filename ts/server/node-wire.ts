import type { Socket } from 'node:net'
import { CopyingSender } from './copying-sender.js'
import { FrameReader } from './frame-reader.js'
import type { SendingRoom } from './sending-room.js'
import type { Wire, WireOwner } from './wire.js'

/** A wire over a socket of Node's. */
export class NodeWire implements Wire {
  readonly clientHost: string
  readonly frames: FrameReader
  readonly sender: CopyingSender
  readonly #socket: Socket
  readonly #owner: WireOwner
  readonly #room: SendingRoom

  constructor(socket: Socket, owner: WireOwner, requestMaxBytes: number, room: SendingRoom) {
    this.clientHost = plainAddress(socket.remoteAddress)
    this.frames = new FrameReader(requestMaxBytes)
    this.sender = new CopyingSender(socket, owner, room)
    this.#socket = socket
    this.#owner = owner
    this.#room = room
    socket.on('data', this.#onData)
    socket.on('end', () => owner.onEnded())
    socket.on('error', (error) => owner.onLost(error))
    socket.on('close', () => owner.onClosed())
    // A listener that hands sockets on accepts them paused.
    socket.resume()
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress)
  }

  get copiedBytes(): number {
    return this.#room.pieceBytes
  }

  get isEnded(): boolean {
    return this.#socket.writableEnded
  }

  get isDestroyed(): boolean {
    return this.#socket.destroyed
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.frames.push(chunk)
    this.#owner.onReceived(chunk.length)
  }
}

/** An address without the prefix that tells an IPv4 one on a socket for both; empty where the socket is gone. */
export function plainAddress(address: string | undefined): string {
  return address === undefined ? '' : address.replace(/^::ffff:(?=\d+\.)/, '')
}
