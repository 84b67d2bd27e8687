import type { Socket } from 'node:net'
import type { OpenWire, WireEvent, Wires } from '../native/wires.js'
import { NativeFrames } from './native-frames.js'
import { NativeSender } from './native-sender.js'
import { plainAddress } from './node-wire.js'
import type { SendingRoom } from './sending-room.js'
import type { SendingTurn } from './sending-turn.js'
import type { Wire, WireOwner } from './wire.js'

/** What the native wires of a server share. */
export interface NativeWireHost {
  readonly wires: Wires
  readonly room: SendingRoom
  readonly turn: SendingTurn
  readonly requestMaxBytes: number
  /** Everything is sent by the transfer, all records from their files. */
  readonly isForced: boolean
}

/** A wire whose socket the addon owns. */
export class NativeWire implements Wire {
  readonly clientHost: string
  readonly localAddress: string
  readonly frames: NativeFrames
  readonly sender: NativeSender
  readonly #host: NativeWireHost
  readonly #owner: WireOwner
  readonly #open: OpenWire
  /** The other end sends no more. */
  #hasEnded = false
  #isEnded = false
  #isDestroyed = false
  #isPaused = false

  /**
   * Takes over a socket that was accepted and never read from. Throws UNSUPPORTED, TOO_MANY_OPEN_FILES, IO_ERROR; the
   * socket is as it was then.
   */
  constructor(socket: Socket, owner: WireOwner, host: NativeWireHost) {
    const { wires, room, requestMaxBytes } = host
    this.clientHost = plainAddress(socket.remoteAddress)
    this.localAddress = plainAddress(socket.localAddress)
    this.#host = host
    this.#owner = owner
    this.#open = wires.adopt(descriptorOf(socket), requestMaxBytes, (event) => this.#onEvent(event))
    // The addon has a descriptor of its own: this closes Node's, not the connection.
    socket.destroy()
    this.frames = new NativeFrames(requestMaxBytes, this.#open, (block) => wires.free(block))
    this.sender = new NativeSender(this.#open, owner, room, host.turn, host.isForced)
  }

  get copiedBytes(): number {
    return this.#host.isForced ? 0 : this.#host.room.pieceBytes
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed
  }

  pause(): void {
    this.#isPaused = true
    if (!this.#isDestroyed) this.#open.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#isDestroyed) this.#open.resume()
  }

  end(): void {
    if (this.#isEnded || this.#isDestroyed) return
    this.#isEnded = true
    this.sender.whenAllLeft(() => {
      if (this.#hasEnded) this.destroy()
      else this.#open.end()
    })
  }

  destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.#open.close()
    this.sender.close()
    process.nextTick(() => this.#owner.onClosed())
  }

  #onEvent(event: WireEvent): void {
    this.frames.push(event)
    // What comes behind a length that is none is dropped, but it has to come: the end of the connection is behind it.
    if (event.badLength !== null && !this.#isPaused) this.#open.resume()
    if (event.sent === 'lost') this.#lost(new Error('the connection is lost'))
    else if (event.sent !== null) this.sender.onTransferEnd(event.sent)
    // What does not fit into one event comes in two; the bytes of both are told by the first.
    const hasCome = event.receivedBytes > 0 || event.frames.length > 0 || event.badLength !== null
    if (hasCome && !this.#isDestroyed) this.#owner.onReceived(event.receivedBytes)
    if (event.hasEnded && !this.#isDestroyed) this.#onEnd()
    if (event.lost !== null) this.#lost(event.lost)
  }

  #onEnd(): void {
    this.#hasEnded = true
    this.#owner.onEnded()
    if (this.#isEnded && !this.sender.isSending) this.destroy()
  }

  #lost(error: Error): void {
    if (this.#isDestroyed) return
    this.#owner.onLost(error)
    this.destroy()
  }
}

/** -1 where it is not known. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { fd?: number } | null }
  return handle?.fd ?? -1
}

/** True where the addon can take the socket over. */
export function hasDescriptor(socket: Socket): boolean {
  return descriptorOf(socket) >= 0
}
