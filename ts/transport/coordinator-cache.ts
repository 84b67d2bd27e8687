import { asSeglogError } from '../client/settle-errors.js'
import { apiKey } from '../protocol/apis.js'
import { protocolError } from '../protocol/errors.js'
import { coordinatorType } from '../protocol/messages/10-find-coordinator.js'
import { unsentError } from './connection-error.js'
import type { TcpBroker } from './tcp-broker.js'
import type { TcpCluster } from './tcp-cluster.js'
import type { TcpSettings } from './tcp-settings.js'

export type CoordinatorKind = 'group' | 'transaction'

const cachedMax = 10_000

/** Which broker coordinates a group or a transactional id: asked once, until it turns out to be wrong. */
export class CoordinatorCache {
  private readonly nodes = new Map<string, number>()
  private readonly asking = new Map<string, Promise<number>>()

  constructor(
    private readonly cluster: TcpCluster,
    private readonly settings: TcpSettings,
  ) {}

  /** Rejects, as not sent, with COORDINATOR_NOT_AVAILABLE and others that the broker says, or why none could be asked. */
  async find(kind: CoordinatorKind, key: string): Promise<TcpBroker> {
    const name = `${kind} ${key}`
    try {
      const nodeId = this.nodes.get(name) ?? (await (this.asking.get(name) ?? this.ask(name, kind, key)))
      const broker = this.cluster.node(nodeId)
      if (broker !== undefined) return broker
      this.nodes.delete(name)
      throw protocolError('COORDINATOR_NOT_AVAILABLE', `the coordinator of ${name}, broker ${nodeId}, cannot be found`)
    } catch (error) {
      throw unsentError(asSeglogError(error))
    }
  }

  /** It was not the coordinator, or cannot be reached. */
  forget(kind: CoordinatorKind, key: string): void {
    this.nodes.delete(`${kind} ${key}`)
  }

  private ask(name: string, kind: CoordinatorKind, key: string): Promise<number> {
    const asked = this.askAny(name, kind, key).finally(() => this.asking.delete(name))
    this.asking.set(name, asked)
    return asked
  }

  private async askAny(name: string, kind: CoordinatorKind, key: string): Promise<number> {
    const { clientId, requestTimeout } = this.settings
    const request = { key: '', keyType: coordinatorType[kind], coordinatorKeys: [key] }
    const broker = this.cluster.any()
    const response = await broker.request('control', apiKey.findCoordinator, request, clientId, requestTimeout)
    const found = response.coordinators[0]
    if (found === undefined) throw protocolError('COORDINATOR_NOT_AVAILABLE', `nobody coordinates ${name}`)
    if (found.errorCode !== 0) throw protocolError(found.errorCode, found.errorMessage)
    this.cluster.view.addBroker(found.nodeId, found)
    if (this.nodes.size >= cachedMax) this.nodes.clear()
    this.nodes.set(name, found.nodeId)
    return found.nodeId
  }
}
