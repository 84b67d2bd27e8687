import type { BrokerState } from './broker-state.js'
import type { RequestContext } from './request-context.js'

/** Where the sender of a request finds this broker. */
export function thisNode(broker: BrokerState, context: RequestContext) {
  const { host, port } = broker.endpoint(context)
  return { host, port, rack: broker.config.get('broker.rack') || null }
}
