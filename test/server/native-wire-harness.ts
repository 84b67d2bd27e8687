import type { Socket } from 'node:net'
import { type TransferEnd, Wires } from '../../ts/native/wires.js'
import { NativeWire } from '../../ts/server/native-wire.js'
import { SendingRoom } from '../../ts/server/sending-room.js'
import { SendingTurn } from '../../ts/server/sending-turn.js'
import type { WireOwner } from '../../ts/server/wire.js'
import { type FakeWire, FakeWires } from '../native/fake-wires.js'

/** Numbers of what the addon tells. */
export const ends: Readonly<Record<TransferEnd, number>> = { all: 0, segmentClosed: 1, cutShort: 2, lost: 3 }

/** A connection that keeps what it is told. */
export class Owner implements WireOwner {
  told: string[] = []
  receivedBytes = 0
  sent = 0
  failure: unknown = null

  onReceived(bytes: number): void {
    this.receivedBytes += bytes
    this.told.push('received')
  }

  onEnded(): void {
    this.told.push('ended')
  }

  onLost(error: Error): void {
    this.told.push(`lost: ${(error as NodeJS.ErrnoException).code}`)
  }

  onClosed(): void {
    this.told.push('closed')
  }

  onSent(): void {
    this.sent++
  }

  onSendFailed(error: unknown): void {
    this.failure = error
  }
}

/** A native wire over nothing; its number is 1. */
export class Rig {
  readonly fake = new FakeWires()
  readonly owner = new Owner()
  readonly room = new SendingRoom()
  readonly wire: NativeWire
  isSocketDestroyed = false

  constructor(isForced = false) {
    const socket = {
      remoteAddress: '::ffff:192.0.2.1',
      localAddress: '::ffff:192.0.2.2',
      _handle: { fd: 7 },
      destroy: () => {
        this.isSocketDestroyed = true
      },
    } as unknown as Socket
    const wires = new Wires(this.fake)
    const host = { wires, room: this.room, turn: new SendingTurn(), requestMaxBytes: 10_000, isForced }
    this.wire = new NativeWire(socket, this.owner, host)
  }

  get far(): FakeWire {
    return this.fake.wires.get(1)!
  }

  /** Bytes come and are told. */
  receive(bytes: Buffer): void {
    this.fake.receive(1, bytes)
    this.fake.deliver()
  }

  /** The transfer moves so many bytes and what it has done is told. */
  move(bytes: number): void {
    this.fake.move(1, bytes)
    this.fake.deliver()
  }

  stop(end: TransferEnd): void {
    this.fake.stop(1, ends[end])
    this.fake.deliver()
  }
}

/** The event loop has gone round: what was to happen at the end of the turn has. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function framed(...bodies: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, Buffer.from(body as Uint8Array)]
    }),
  )
}
