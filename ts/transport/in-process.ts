import type { Broker } from '../broker/broker.js'
import type { RequestContext } from '../broker/request-context.js'
import type { PartitionLag } from '../client/admin-group-options.js'
import { defaultBackOff } from '../client/back-off.js'
import type { RequestOptions, Transport } from '../client/transport.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import { type ApiKey, apis, type RequestOf, type ResponseOf } from '../protocol/apis.js'

/** Calls a broker in this process: messages are handed over as they are, without a byte being encoded. */
export class InProcessTransport implements Transport {
  readonly isRemote = false
  readonly backOff = defaultBackOff
  private readonly contexts = new Map<string | null, RequestContext[]>()

  /** The transport owns the broker: closing it closes the broker, unless something else is to happen then. */
  constructor(
    private readonly broker: Broker,
    private readonly onClose: () => Promise<void> = () => broker.close(),
  ) {}

  request<K extends ApiKey>(key: K, request: RequestOf<K>, options: RequestOptions = {}): MaybePromise<ResponseOf<K>> {
    const context = this.contextFor(key, options.clientId ?? null)
    const { signal } = options
    return this.broker.handle(key, request, signal === undefined ? context : { ...context, signal })
  }

  nodeOf(): number {
    return 0
  }

  async groupLag(groupId: string): Promise<PartitionLag[]> {
    const lags = await this.broker.groupLag(groupId)
    return lags.map(({ topic, partition, committedOffset, endOffset, lag, lagMs, member }) => ({
      ...{ groupId, topic, partition, committed: committedOffset, end: endOffset, lag },
      lagSeconds: lagMs === null ? null : lagMs / 1000,
      memberId: member?.id ?? null,
      clientId: member?.clientId ?? null,
      clientHost: member?.clientHost ?? null,
    }))
  }

  close(): Promise<void> {
    return this.onClose()
  }

  private contextFor(key: ApiKey, clientId: string | null): RequestContext {
    let contexts = this.contexts.get(clientId)
    if (contexts === undefined) {
      contexts = []
      this.contexts.set(clientId, contexts)
    }
    contexts[key] ??= {
      apiVersion: apis[key].request.lastStable,
      clientId,
      clientHost: 'localhost',
      listener: 'INTERNAL',
      principal: 'User:ANONYMOUS',
      connectionId: 'in-process',
      trusted: true,
    }
    return contexts[key]
  }
}
