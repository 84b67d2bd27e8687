import type { Socket } from 'node:net'
import { SeglogError } from '../errors/seglog-error.js'
import { codeOf } from '../log/error-code.js'
import type { WireCounts, Wires } from '../native/wires.js'
import { hasDescriptor, NativeWire, type NativeWireHost } from './native-wire.js'
import { NodeWire } from './node-wire.js'
import type { SendingRoom } from './sending-room.js'
import { SendingTurn } from './sending-turn.js'
import type { Wire, WireOwner } from './wire.js'

/** What `seglog.transfer` says. */
export type TransferChoice = 'auto' | 'always' | 'off'

/** What the connections of a server go over, and what went so far. */
export interface TransferStatus {
  readonly choice: TransferChoice
  /** Connections that were taken: natively, and by Node's sockets. */
  readonly nativeWires: number
  readonly nodeWires: number
  /** Of all native connections of this process; null where there are none. */
  readonly counts: WireCounts | null
}

/** Makes the wires of a server, native ones where they are wanted and the platform has them. */
export class WireSource {
  readonly #choice: TransferChoice
  readonly #native: NativeWireHost | null
  readonly #requestMaxBytes: number
  readonly #room: SendingRoom
  #nativeWires = 0
  #nodeWires = 0

  /** `wires` is null where the platform has none. Throws UNSUPPORTED where only those will do. */
  constructor(choice: TransferChoice, wires: Wires | null, requestMaxBytes: number, room: SendingRoom) {
    if (choice === 'always' && wires === null) {
      const message = 'seglog.transfer=always: there are no native connections on this platform; use auto or off'
      throw new SeglogError('UNSUPPORTED', message, { key: 'seglog.transfer' })
    }
    this.#choice = choice
    this.#requestMaxBytes = requestMaxBytes
    this.#room = room
    const isNative = wires !== null && choice !== 'off'
    const isForced = choice === 'always'
    this.#native = isNative ? { wires, room, turn: new SendingTurn(), requestMaxBytes, isForced } : null
  }

  /** Sockets have to come paused: nothing of them may have been read. */
  get wantsPaused(): boolean {
    return this.#native !== null
  }

  get status(): TransferStatus {
    return {
      choice: this.#choice,
      nativeWires: this.#nativeWires,
      nodeWires: this.#nodeWires,
      counts: this.#native?.wires.counts() ?? null,
    }
  }

  take(socket: Socket, owner: WireOwner): Wire {
    const native = this.#native === null ? null : nativeWire(socket, owner, this.#native)
    if (native !== null) {
      this.#nativeWires++
      return native
    }
    this.#nodeWires++
    return new NodeWire(socket, owner, this.#requestMaxBytes, this.#room)
  }
}

/** Null where this socket has to stay Node's. */
function nativeWire(socket: Socket, owner: WireOwner, host: NativeWireHost): NativeWire | null {
  if (!hasDescriptor(socket)) return null
  try {
    return new NativeWire(socket, owner, host)
  } catch (error) {
    if (!refusals.has(codeOf(error) ?? '')) throw error
    return null
  }
}

/** Adopting needs a descriptor more than Node has already, and a kind of socket that the addon knows. */
const refusals: ReadonlySet<string> = new Set(['TOO_MANY_OPEN_FILES', 'UNSUPPORTED', 'IO_ERROR'])
