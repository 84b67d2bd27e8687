import type { SeglogError } from '../errors/seglog-error.js'
import { type ApiKey, apis, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { BrokerDoor, type ConnectionSource } from './broker-door.js'
import { ParkingLanes } from './parking-lanes.js'
import type { Address } from './tcp-address.js'
import { TcpLane } from './tcp-lane.js'

/**
 * What shares a connection. `produce`: batches. `control`: what is answered soon. `parking`: what a broker may keep
 * waiting, or what brings much: each has a connection to itself.
 */
export type LaneKind = 'produce' | 'control' | 'parking'

const produceInFlightMax = 5
const controlInFlightMax = 64
const parkingLanesMax = 64
const unsentBytesMax = 1024 * 1024

/** One broker, and the connections to it. */
export class TcpBroker {
  private readonly door: BrokerDoor
  private readonly produce: TcpLane
  private readonly control: TcpLane
  private readonly parking: ParkingLanes

  /** `onLost`: a connection was lost or could not be made. */
  constructor(address: Address, source: ConnectionSource, onLost: () => void) {
    this.door = new BrokerDoor(address, source)
    const maxIdleMs = source.settings.connectionMaxIdle
    const lane = (inFlightMax: number) => new TcpLane(this.door, { inFlightMax, unsentBytesMax, maxIdleMs }, onLost)
    this.produce = lane(produceInFlightMax)
    this.control = lane(controlInFlightMax)
    this.parking = new ParkingLanes(parkingLanesMax, () => lane(1))
  }

  get name(): string {
    return this.door.name
  }

  get isConnected(): boolean {
    return this.control.isConnected || this.produce.isConnected || this.parking.isConnected
  }

  /** The last attempt to connect failed. */
  get isFailing(): boolean {
    return this.door.isFailing
  }

  /** Requests under way or waiting, besides those that wait at the broker. */
  get load(): number {
    return this.control.load + this.produce.load
  }

  /** Rejects as `TcpLane.run` and `TcpConnection.request` do. */
  request<K extends ApiKey>(
    kind: LaneKind,
    key: K,
    request: RequestOf<K>,
    clientId: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<ResponseOf<K>> {
    const { name } = apis[key]
    return this[kind].run(
      (connection) => connection.request(key, request, clientId, timeoutMs),
      name,
      timeoutMs,
      signal,
    )
  }

  /** Nothing was asked of it that is not answered. */
  get isIdle(): boolean {
    return this.load === 0 && this.parking.load === 0
  }

  /** Ends every connection; what is under way fails with the reason. */
  close(reason: SeglogError): void {
    this.door.close()
    this.produce.close(reason)
    this.control.close(reason)
    this.parking.close(reason)
  }
}
